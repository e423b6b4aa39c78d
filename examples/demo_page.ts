/**
 * The page that the demo's service shows.
 *
 * @module
 */

/** What the page tells. */
export interface Visit {
  /** Which one it is, from 1. */
  readonly visit: number;
  /** The host that the browser asked for. */
  readonly asked: string;
  /** Where the service's connection came from: the tunnel's client. */
  readonly connectedFrom: string;
}

/** The page as HTML. */
export function demoPage({ visit, asked, connectedFrom }: Visit): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Through the tunnel</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 18px/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1rem; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; }
  dt { opacity: .65; } dd { margin: 0; font-family: ui-monospace, monospace; }
</style>
<h1>You came through the tunnel</h1>
<p>This page is served by a program that your browser cannot reach. The tunnel's client fetched
your request from the server and passed it on.</p>
<dl>
  <dt>your browser asked</dt><dd>${escapeHtml(asked)}</dd>
  <dt>the service saw</dt><dd>${escapeHtml(connectedFrom)} (the tunnel's client)</dd>
  <dt>visit</dt><dd>${visit}</dd>
</dl>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
