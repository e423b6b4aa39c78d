/**
 * A run as pictures.
 *
 * @module
 */

import { COLOURS, type Panel, type Picture, type Series } from "../../../scripts/plot.ts";
import type { Results } from "../results.ts";
import { PROGRAMS, SIDES } from "./columns.ts";
import { measured } from "./statistics.ts";
import { dateText, machineText, nameOf, numberText, roundsText, versionsText } from "./wording.ts";

/** What a bar stands for, and the figure that it shows. */
type Category = readonly [name: string, figure: string];
type Program = typeof PROGRAMS[number] | typeof SIDES[number];

/** A program has one colour in all pictures. */
const COLOUR_OF: Readonly<Record<Program, string | undefined>> = {
  rathole: COLOURS[1],
  ours: COLOURS[0],
  frp: COLOURS[2],
  channels: COLOURS[4],
};

/** Whose versions a picture tells. */
const DRAWN = ["rathole", "rathole for Deno", "frp", "Deno"];

const CONNECTIONS: readonly (readonly [string, string])[] = [
  ["1 connection", "http.keep-alive-1"],
  ["64 connections", "http.keep-alive"],
  ["512 connections", "http.keep-alive-512"],
];

const LINES: readonly (readonly [string, string])[] = [
  ["loopback", "mixed"],
  ["50 ms of round trip", "delay.mixed"],
  ["1 % loss", "loss.mixed"],
];

/** The names of the pictures' files, without `.svg`. */
export const PICTURE_NAMES = [
  "http_throughput",
  "tcp_bitrate",
  "udp_bitrate",
  "mem",
  "latency",
  "beside_download",
] as const;
/** One of them. */
export type PictureName = typeof PICTURE_NAMES[number];

/** Every picture that the run has something for. */
export function picturesOf(results: Results): ReadonlyMap<PictureName, Picture> {
  const range = results.rounds > 1 ? ": medians, whiskers from the lowest to the highest" : "";
  const picture = (title: string, panels: readonly Panel[], x = ""): Picture => ({
    title,
    subtitle: `${dateText(results)}, ${machineText(results)}\n` +
      `${versionsText(results, DRAWN)}; ${roundsText(results)}${range}`,
    x,
    panels: panels.filter(({ series }) => series.length > 0),
  });
  const bars = (
    title: string,
    y: string,
    categories: readonly Category[],
    programs: readonly Program[] = PROGRAMS,
  ): Panel => ({
    kind: "bars",
    title,
    y,
    label: numberText,
    categories: categories
      .filter(([, figure]) => programs.some((it) => measured(results, figure, it) !== null))
      .map(([name]) => name),
    series: seriesOf(results, categories, programs),
  });
  const latency = (title: string, suffix: string): Panel => ({
    ...bars(title, "ms", CONNECTIONS.map(([name, figure]) => [name, `${figure}-${suffix}`])),
    kind: "marks",
    logarithmic: true,
  });
  const beside = (title: string, y: string, plain: string, suffix: string): Panel => ({
    ...bars(
      title,
      y,
      LINES.map(([name, figure]) => [name, figure === "mixed" ? plain : `${figure}${suffix}`]),
      SIDES,
    ),
    kind: "marks",
    logarithmic: true,
  });
  const pictures: Readonly<Record<PictureName, Picture>> = {
    http_throughput: picture("HTTP requests through a tunnel; more is better", [
      bars("Connections that are kept, and a new one for each request", "requests a second", [
        ...CONNECTIONS.map(([name, figure]) => [`${name}, kept`, figure] as const),
        ["a new connection each,\n32 at once", "http.new"],
      ]),
    ]),
    tcp_bitrate: picture("TCP bulk through a tunnel; more is better", [
      bars("Over plain TCP", "Gbit/s", [
        ["one stream", "tcp.bulk"],
        ["eight streams", "tcp.bulk-8"],
        ["one stream, from the\nservice to the visitor", "tcp.bulk-reverse"],
      ]),
      bars("One stream over each transport", "Gbit/s", [
        ["TCP", "tcp.bulk"],
        ["TLS", "tls.bulk"],
        ["Noise", "noise.bulk"],
        ["WebSocket", "ws.bulk"],
        ["WebSocket over TLS", "wss.bulk"],
      ]),
    ]),
    udp_bitrate: picture("UDP that arrives through a tunnel; more is better", [
      bars("Datagrams of 1400 bytes", "Mbit/s", [
        ["600 Mbit/s offered", "udp.1400-600"],
        ["unlimited", "udp.1400-unlimited"],
      ]),
      bars("Datagrams of 64 bytes", "Mbit/s", [
        ["600 Mbit/s offered", "udp.64-600"],
        ["unlimited", "udp.64-unlimited"],
      ]),
    ]),
    mem: picture("Memory of both ends together; less is better", [
      tracesOf(results),
      bars("Idle, and what visitors that do nothing add", "MB", [
        ["idle, anonymous memory", "memory.idle"],
        ["idle, resident memory", "memory.idle-rss"],
        ["1,000 visitors add", "memory.visitors-1000"],
        ["5,000 visitors add", "memory.visitors-5000"],
      ]),
    ]),
    latency: picture("How long an HTTP request takes, connections kept; less is better", [
      latency("Half of the requests are faster (p50; logarithmic)", "p50"),
      latency("99 of 100 are faster (p99; logarithmic)", "p99"),
    ]),
    beside_download: picture("Small requests of 64 visitors beside a download of another one", [
      beside(
        "99 of 100 requests are faster (p99; logarithmic); less is better",
        "ms",
        "mixed.keep-alive-p99",
        "-p99",
      ),
      beside(
        "Requests a second (logarithmic); more is better",
        "requests a second",
        "mixed.keep-alive",
        "",
      ),
      beside(
        "The download meanwhile (logarithmic); more is better",
        "Gbit/s",
        "mixed.bulk",
        "-bulk",
      ),
    ]),
  };
  return new Map(
    PICTURE_NAMES.map((name) => [name, pictures[name]] as const)
      .filter(([, { panels }]) => panels.length > 0),
  );
}

/** The categories that something was measured for, as a row of bars for each program. */
function seriesOf(
  results: Results,
  categories: readonly Category[],
  programs: readonly Program[],
): readonly Series[] {
  return programs.flatMap((program) => {
    const found = categories.flatMap(([name, figure]) => {
      const spread = measured(results, figure, program);
      return spread === null ? [] : [{ name, spread }];
    });
    return found.length === 0 ? [] : [{
      ...lookOf(program),
      points: found.map(({ name, spread }) => [name, spread.median] as const),
      ranges: found.map(({ spread }) => [spread.min, spread.max] as const),
    }];
  });
}

/** Memory over time, while loads came and went. */
function tracesOf({ traces }: Results): Panel {
  return {
    kind: "lines",
    title: "Resident memory: idle, HTTP with 64 connections, idle, TCP bulk, idle",
    y: "MB",
    x: "seconds",
    series: PROGRAMS.flatMap((program) => {
      const points = traces.filter(({ subject }) => subject === program)
        .flatMap((trace) => trace.points);
      return points.length === 0 ? [] : [{ ...lookOf(program), points }];
    }),
  };
}

function lookOf(program: Program): Pick<Series, "name" | "colour"> {
  const colour = COLOUR_OF[program];
  return { name: nameOf(program), ...colour === undefined ? {} : { colour } };
}
