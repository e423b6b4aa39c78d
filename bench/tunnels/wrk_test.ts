import { deepEqual, throws } from "node:assert/strict";
import { parseWrk, wrkCommand } from "./wrk.ts";

const PRINTED = `Running 3s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.71ms    2.00ms  50.44ms   97.02%
    Req/Sec    41.20k     2.93k   45.40k    83.33%
  Latency Distribution
     50%  812.00us
     75%    1.69ms
     90%    2.02ms
     99%    1.02s
  123456 requests in 3.00s, 34.56MB read
Requests/sec:  41152.21
Transfer/sec:     11.52MB
`;

Deno.test("parseWrk - rate, requests and latency in milliseconds", () => {
  deepEqual(parseWrk(PRINTED), {
    requests: 123456,
    rate: 41152.21,
    p50: 0.812,
    p99: 1020,
    errors: 0,
  });
});

Deno.test("parseWrk - counts errors, and refuses more than a thousandth of them", () => {
  const failing = (text: string) => PRINTED.replace("Requests/sec", `${text}\nRequests/sec`);
  const few = failing("  Socket errors: connect 1, read 2, write 3, timeout 4");
  deepEqual(parseWrk(few).errors, 10);
  const many = failing("  Socket errors: connect 0, read 100, write 0, timeout 24");
  throws(() => parseWrk(many), /124 errors at 123456 requests/);
  throws(() => parseWrk(failing("  Non-2xx or 3xx responses: 9999")), /9999 errors/);
});

Deno.test("parseWrk - refuses what is no result", () => {
  throws(() => parseWrk("unable to connect"), /wrk printed no requests/);
  throws(() => parseWrk(PRINTED.replace(/\d+ requests/, "0 requests")), /0 errors at 0 requests/);
});

Deno.test("wrkCommand - a header for a new connection each", () => {
  deepEqual(wrkCommand("wrk", 80, 3, { connections: 32, fresh: true }).slice(1, 4), [
    "-t1",
    "-c32",
    "-d3s",
  ]);
});
