import { deepEqual, throws } from "node:assert/strict";
import { iperf3Command, parseIperf3 } from "./iperf3.ts";

/** As version 3.12 prints it, without what is not read. */
const received = (sum: object) =>
  JSON.stringify({
    intervals: [],
    end: { sum_sent: { bytes: 9e9, bits_per_second: 9e9 }, sum_received: sum },
  });

Deno.test("parseIperf3 - what the receiver got", () => {
  const tcp = { start: 0, seconds: 1.001, bytes: 1944977408, bits_per_second: 15543452009.03 };
  deepEqual(parseIperf3(received(tcp)), {
    bitsPerSecond: 15543452009.03,
    bytes: 1944977408,
    lostPercent: 0,
  });
  const udp = {
    bytes: 74326000,
    bits_per_second: 594103012,
    lost_packets: 439,
    lost_percent: 0.82,
  };
  deepEqual(parseIperf3(received(udp)).lostPercent, 0.82);
});

Deno.test("parseIperf3 - says why there is nothing", () => {
  throws(
    () => parseIperf3('{"intervals":[],"end":{},"error":"unable to connect to server"}'),
    /iperf3: unable to connect to server/,
  );
  throws(() => parseIperf3(received({ bytes: 0, bits_per_second: 0 })), /nothing was received/);
  throws(() => parseIperf3('{"end":{}}'), /nothing was received/);
  throws(() => parseIperf3("iperf3: killed"), /printed no JSON: iperf3: killed/);
});

Deno.test("iperf3Command - one stream, several, backwards, datagrams", () => {
  const added = (load: Parameters<typeof iperf3Command>[3]) =>
    iperf3Command("iperf3", 1, 2, load).slice(10).join(" ");
  deepEqual(added({}), "");
  deepEqual(added({ streams: 8, reverse: true }), "--parallel 8 --reverse");
  deepEqual(added({ udp: { size: 64, offered: 0 } }), "--udp --bitrate 0M --length 64");
});
