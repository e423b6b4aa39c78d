/**
 * What is measured, in which unit, and what is aimed for.
 *
 * @module
 */

/** A figure of the benchmark. */
export interface Figure {
  /** Its name in results and on the command line: group and name. */
  readonly id: string;
  /** What a table calls it. */
  readonly title: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  /** What two of ours ÷ two of rathole is to be. */
  readonly goal?: number;
  /** The same without carriers. */
  readonly channels?: number;
  /** The same with rathole at one end, whichever. */
  readonly mixed?: number;
  /** What two of ours are to be, in the unit. */
  readonly absolute?: number;
}

const rate = (id: string, title: string, unit: string, goals: Partial<Figure> = {}): Figure => ({
  id,
  title,
  unit,
  better: "higher",
  ...goals,
});
const cost = (id: string, title: string, unit: string, goals: Partial<Figure> = {}): Figure => ({
  ...rate(id, title, unit, goals),
  better: "lower",
});

const GBITS = "Gbit/s";
const MBITS = "Mbit/s";
const REQUESTS = "req/s";

/** The figures of a group whose tunnels have something between their ends. */
const line = (group: "delay" | "loss", name: string): readonly Figure[] => [
  rate(`${group}.keep-alive-1`, `${name}: HTTP keep-alive, 1 connection`, REQUESTS),
  cost(`${group}.keep-alive-1-p99`, "… p99", "ms"),
  rate(`${group}.keep-alive`, `${name}: HTTP keep-alive, 64 connections`, REQUESTS),
  cost(`${group}.keep-alive-p99`, "… p99", "ms"),
  rate(`${group}.keep-alive-512`, `${name}: HTTP keep-alive, 512 connections`, REQUESTS),
  cost(`${group}.keep-alive-512-p99`, "… p99", "ms"),
  rate(`${group}.new`, `${name}: HTTP, a new connection each, 32 at once`, REQUESTS),
  cost(`${group}.new-p99`, "… p99", "ms"),
  rate(`${group}.mixed`, `${name}: HTTP keep-alive, 64, beside a download`, REQUESTS),
  cost(`${group}.mixed-p99`, "… p99", "ms"),
  rate(`${group}.mixed-bulk`, "… the download meanwhile", GBITS),
];

/** In the order of the table. */
export const FIGURES: readonly Figure[] = [
  rate("tcp.bulk", "TCP bulk, one stream", GBITS, { goal: 2.4, channels: 2.4, mixed: 1.1 }),
  rate("tcp.bulk-8", "… eight streams", GBITS),
  rate("tcp.bulk-reverse", "… one stream, from the service to the visitor", GBITS),
  cost("tcp.bulk-cpu", "… CPU time of both ends, one stream", "s/GB"),
  rate("http.keep-alive-1", "HTTP keep-alive, 1 connection", REQUESTS),
  cost("http.keep-alive-1-p50", "… p50", "ms"),
  cost("http.keep-alive-1-p99", "… p99", "ms"),
  rate("http.keep-alive", "HTTP keep-alive, 64 connections", REQUESTS, {
    goal: 1.1,
    channels: 0.8,
    mixed: 0.9,
  }),
  cost("http.keep-alive-cpu", "… CPU time of both ends per request", "µs", {
    goal: 0.8,
    channels: 1.4,
  }),
  cost("http.keep-alive-p50", "… p50", "ms"),
  cost("http.keep-alive-p99", "… p99", "ms", { goal: 1 }),
  rate("http.keep-alive-512", "HTTP keep-alive, 512 connections", REQUESTS),
  cost("http.keep-alive-512-p50", "… p50", "ms"),
  cost("http.keep-alive-512-p99", "… p99", "ms"),
  rate("http.new", "HTTP, a new connection each, 32 at once", REQUESTS, {
    goal: 1.1,
    channels: 0.75,
    mixed: 0.85,
  }),
  cost("http.new-cpu", "… CPU time of both ends per request", "µs"),
  cost("http.new-p50", "… p50", "ms"),
  cost("http.new-p99", "… p99", "ms"),
  rate("udp.1400-600", "UDP goodput, 1400 bytes, offered 600 Mbit/s", MBITS, {
    goal: 1,
    mixed: 0.9,
  }),
  rate("udp.1400-unlimited", "… 1400 bytes, unlimited", MBITS, { goal: 1, mixed: 0.9 }),
  rate("udp.64-600", "… 64 bytes, offered 600 Mbit/s", MBITS),
  rate("udp.64-unlimited", "… 64 bytes, unlimited", MBITS),
  rate("tls.bulk", "TLS bulk", GBITS, { goal: 1.2 }),
  rate("tls.keep-alive", "… keep-alive, 64 connections", REQUESTS, { goal: 1 }),
  rate("noise.bulk", "Noise bulk", GBITS, { goal: 1.2 }),
  rate("noise.keep-alive", "… keep-alive, 64 connections", REQUESTS, { goal: 1 }),
  rate("ws.bulk", "WebSocket bulk", GBITS, { goal: 1 }),
  rate("ws.keep-alive", "… keep-alive, 64 connections", REQUESTS, { goal: 1 }),
  rate("wss.bulk", "WebSocket over TLS bulk", GBITS, { goal: 1 }),
  rate("wss.keep-alive", "… keep-alive, 64 connections", REQUESTS, { goal: 1 }),
  rate("mixed.keep-alive", "HTTP keep-alive, 64 connections beside a download", REQUESTS),
  cost("mixed.keep-alive-p50", "… p50", "ms"),
  cost("mixed.keep-alive-p99", "… p99", "ms"),
  rate("mixed.bulk", "… the download meanwhile", GBITS),
  ...line("delay", "50 ms"),
  rate("delay.bulk", "50 ms: a download alone", GBITS),
  ...line("loss", "1 % loss"),
  cost("memory.idle", "RssAnon of both ends, idle", "MB", { absolute: 30 }),
  cost("memory.idle-rss", "RSS of both ends, idle", "MB"),
  cost("memory.visitors-1000", "1,000 idle visitors add", "MB", { goal: 0.6, channels: 1 }),
  cost("memory.visitors-5000", "5,000 idle visitors add", "MB"),
  cost("memory.visitors-peak", "peak RSS of both ends under 1,000 idle visitors", "MB"),
  cost("memory.load-peak", "peak RSS of both ends, over all loads of a round", "MB"),
  cost("start.first-visitor", "start of both ends to the first visitor served", "ms", {
    absolute: 300,
  }),
];
