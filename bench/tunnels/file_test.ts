import { deepEqual, match, rejects } from "node:assert/strict";
import { readResults, serialise } from "./file.ts";
import type { Results } from "./results.ts";

const RESULTS: Results = {
  format: 1,
  started: "2026-11-29T21:00:00.000Z",
  minutes: 0.5,
  machine: { cpu: "a CPU", cores: 2, memory: 4, kernel: "linux 6" },
  versions: { Deno: "2.9.6" },
  rounds: 1,
  seconds: 3,
  load: 0.1,
  samples: [
    { figure: "tcp.bulk", subject: "ours", round: 0, value: 9.1 },
    { figure: "http.new", subject: "ours", round: 0, value: 5000 },
  ],
  traces: [{ subject: "ours", points: [[0, 50.5], [0.25, 51]] }],
};

Deno.test("serialise - JSON with a line for each sample", () => {
  const text = serialise(RESULTS);
  deepEqual(JSON.parse(text), RESULTS);
  match(text, /^ {2}\{"figure":"tcp.bulk","subject":"ours","round":0,"value":9.1\},$/m);
  const empty = { ...RESULTS, samples: [], traces: [] };
  deepEqual(JSON.parse(serialise(empty)), empty);
});

Deno.test("readResults - says which file cannot be read", async () => {
  await rejects(readResults("no-such-file.json"), /no-such-file\.json/);
});
