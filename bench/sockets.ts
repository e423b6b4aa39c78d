/**
 * Which way of reading, writing and relaying a socket is the fastest and the leanest? Every
 * candidate relays between a load generator and a sink over two hops, each end a process of its
 * own, all on 127.0.0.1, taking turns round by round; the table shows medians and the spread.
 *
 *     deno run --allow-net=127.0.0.1 --allow-run=$(deno eval -p Deno.execPath\(\)),grep \
 *         bench/sockets.ts [--quick] [--json] [--rounds=N] [--only=CANDIDATE,…]
 *
 * The children get `--allow-net=127.0.0.1` and nothing else; grep reads /proc/PID/status, which
 * Deno itself may not. About five minutes, half a minute with --quick.
 */
import { type Bench, Child, datagrams, type Figures, memory, rates } from "./sockets/measure.ts";

const CANDIDATES = [
  "loop:1",
  "loop:16",
  "loop:64",
  "loop:256",
  "raw:1-256:half:8192",
  "raw:1-16-64-256:fit:8192:16",
  "then:1-16-64-256:fit:8192:16",
  "async:1-16-64-256:fit:8192:16",
  "node:pipe",
  "node:manual",
  "pipeTo",
];

const option = (name: string) =>
  Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const quick = Deno.args.includes("--quick");
const candidates = option("only")?.split(",") ?? CANDIDATES;
const rounds = Number(option("rounds") ?? (quick ? 1 : 5));
const scale = quick ? 0.2 : 1;

type Results = Map<string, Figures[]>;

async function turns(
  names: readonly string[],
  times: number,
  measure: (name: string) => Promise<Figures>,
): Promise<Results> {
  const results: Results = new Map(names.map((name) => [name, []]));
  for (let round = 0; round < times; round++) {
    for (const name of names) results.get(name)?.push(await measure(name));
  }
  return results;
}

function summary(runs: readonly Figures[]): Record<string, [number, number, number]> {
  const columns = Object.keys(runs[0] ?? {});
  return Object.fromEntries(columns.map((column) => {
    const sorted = runs.map((run) => run[column] ?? NaN).sort((a, b) => a - b);
    const at = (i: number) => sorted[i] ?? NaN;
    const middle = sorted.length >> 1;
    const median = sorted.length % 2 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
    return [column, [median, at(0), at(sorted.length - 1)]];
  }));
}

function print(title: string, results: Results): void {
  const short = (n: number) =>
    Math.abs(n) >= 1000 ? `${(n / 1000).toFixed(1)}k` : n.toFixed(Math.abs(n) < 10 ? 2 : 0);
  const rows = [...results].map(([name, runs]) => ({ name, figures: summary(runs) }));
  const columns = Object.keys(rows[0]?.figures ?? {});
  const width = Math.max(title.length, ...rows.map((row) => row.name.length));
  const line = (first: string, cells: string[]) =>
    console.log([first.padEnd(width), ...cells.map((cell) => cell.padStart(17))].join(" "));
  line(title, columns);
  for (const { name, figures } of rows) {
    line(
      name,
      columns.map((column) => {
        const [median, low, high] = figures[column] ?? [NaN, NaN, NaN];
        return `${short(median)} (${short(low)}–${short(high)})`;
      }),
    );
  }
  console.log();
}

async function main(): Promise<void> {
  await using load = await Child.start("child.ts", "load");
  await using sink = await Child.start("child.ts", "sink");
  const bench: Bench = { load, sink, scale };
  const tables: [string, Results][] = [];
  if (!Deno.args.includes("--no-rates")) {
    tables.push(["two hops", await turns(candidates, rounds, (name) => rates(name, bench))]);
  }
  if (!Deno.args.includes("--no-memory")) {
    const times = Math.ceil(rounds / 2);
    tables.push(["memory", await turns(candidates, times, (name) => memory(name, bench))]);
  }
  if (option("only") === undefined) {
    const names = ["deno 64", "node 64", "deno 1400", "node 1400"];
    const udp = await turns(names, rounds, (name) => {
      const [kind = "", size] = name.split(" ");
      return datagrams(kind, Number(size), scale);
    });
    tables.push(["UDP", udp]);
  }
  if (!Deno.args.includes("--json")) {
    for (const [title, results] of tables) {
      print(title, results);
    }
  } else {
    const json = tables.map(([title, results]) => [
      title,
      Object.fromEntries([...results].map(([name, runs]) => [name, summary(runs)])),
    ]);
    console.log(JSON.stringify({ rounds, median_low_high: Object.fromEntries(json) }, null, 2));
  }
}

await main();
