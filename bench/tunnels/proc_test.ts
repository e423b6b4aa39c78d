import { deepEqual, equal, throws } from "node:assert/strict";
import { parseBound, parseStat, parseStatus } from "./proc.ts";

const status = (rss: number, anonymous: number, peak: number) =>
  `Name:\tdeno\nVmPeak:\t  999 kB\nVmHWM:\t  ${peak} kB\nVmRSS:\t  ${rss} kB\n` +
  `RssAnon:\t  ${anonymous} kB\nRssFile:\t  1 kB\n`;

Deno.test("parseStatus - sums over both ends, in megabytes of 10^6 bytes", () => {
  const text = status(10_000, 4_000, 20_000) + status(5_000, 1_000, 5_000);
  deepEqual(parseStatus(text, 2), { rss: 15.36, anonymous: 5.12, peak: 25.6 });
  throws(() => parseStatus(status(1, 1, 1), 2), /1 × VmRSS of 2/);
});

Deno.test("parseStat - user and system time, whatever the program's name", () => {
  const stat = (name: string, user: number, system: number) =>
    `7 (${name}) S 1 7 7 0 -1 4194560 812 0 0 0 ${user} ${system} 0 0 20 0 1 0 9 1 2\n`;
  equal(parseStat(stat("deno", 150, 50)), 2);
  equal(parseStat(stat("a) b (c", 100, 0) + stat("rathole", 0, 25)), 1.25);
});

Deno.test("parseBound - a port in hexadecimal, as the local address", () => {
  const table = "   sl  local_address rem_address   st tx_queue rx_queue\n" +
    " 1234: 0100007F:1F90 0100007F:0035 07 00000000:00000000\n";
  equal(parseBound(table, 8080), true);
  equal(parseBound(table, 53), false);
});
