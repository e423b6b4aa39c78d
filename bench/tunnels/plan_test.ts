import { deepEqual, equal, ok } from "node:assert/strict";
import { FIGURES } from "./catalogue.ts";
import { LOADS, TUNNEL_NAMES, type TunnelName } from "./loads.ts";
import { MEMORY_FIGURES, MOST_VISITORS } from "./memory.ts";
import {
  covers,
  estimate,
  isTraced,
  LOAD_PEAK,
  loadsOf,
  orderOf,
  type Plan,
  programsOf,
  select,
  START,
  wanted,
} from "./plan.ts";
import type { Subject } from "./results.ts";

function plan(only: readonly string[], ...subjects: Subject[]): Plan {
  return { subjects, figures: select(only), rounds: 7, seconds: 3 };
}

const names = (of: Plan, subject: Subject, tunnel: TunnelName = "tcp") =>
  loadsOf(of, subject, tunnel).map(({ figures: [first] }) => first);

Deno.test("the catalogue - each figure is measured in one place", () => {
  const measured = [...LOADS.flatMap(({ figures }) => figures), ...MEMORY_FIGURES];
  deepEqual([...measured, LOAD_PEAK, START].sort(), FIGURES.map(({ id }) => id).sort());
});

Deno.test("select - groups, figures, and all", () => {
  equal(select([]).size, FIGURES.length);
  deepEqual([...select(["tls", "start"])], ["tls.bulk", "tls.keep-alive", START]);
  deepEqual([...select(["tcp.bulk"])], ["tcp.bulk"]);
});

Deno.test("select - the peak over all loads comes with all loads", () => {
  equal(select(["memory"]).has(LOAD_PEAK), false);
  equal(select(["memory", "tcp", "http"]).has(LOAD_PEAK), false);
  equal(select(["memory", "tcp", "http", "udp"]).has(LOAD_PEAK), true);
  const alone = plan([LOAD_PEAK], "ours");
  equal(names(alone, "ours").length, 11);
  equal(names(alone, "ours", "tls").length, 0);
});

Deno.test("covers - frp has no other transports, mixed pairs have goals of their own", () => {
  equal(covers("ours", "wss.bulk") && covers("old", "wss.bulk"), true);
  equal(covers("frp", "wss.bulk"), false);
  equal(covers("frp", "udp.64-600"), true);
  equal(covers("our-server", "tcp.bulk"), true);
  equal(covers("our-client", "tcp.bulk-8"), false);
});

Deno.test("covers - ours without carriers, beside ours with them", () => {
  const without = ["tcp.bulk", "http.keep-alive-512-p99", "memory.visitors-1000", "mixed.bulk"];
  for (const id of [...without, "delay.new", "loss.mixed-p99"]) {
    equal(covers("channels", id), true, id);
  }
  for (const id of ["tcp.bulk-8", "udp.64-600", "tls.bulk", MOST_VISITORS, START, LOAD_PEAK]) {
    equal(covers("channels", id), false, id);
  }
});

Deno.test("covers - lines are of others only when they were named", () => {
  for (const subject of ["frp", "our-server", "our-client"] as const) {
    equal(covers(subject, "delay.new"), false, subject);
    equal(covers(subject, "delay.new", true), true, subject);
  }
  equal(covers("old", "delay.new") && covers("rathole", "loss.new"), true);
  const named = { ...plan(["mixed"], "frp"), named: true };
  deepEqual(names(named, "frp", "mixed"), ["mixed.keep-alive"]);
  deepEqual(wanted(named, "frp", ["mixed.bulk", "tcp.bulk"]), ["mixed.bulk"]);
});

Deno.test("loadsOf - a load is carried for any figure that it gives", () => {
  deepEqual(names(plan(["http.new-p99"], "ours"), "ours"), ["http.new"]);
  deepEqual(names(plan([], "our-client"), "our-client"), [
    "http.keep-alive",
    "http.new",
    "tcp.bulk",
    "udp.1400-600",
    "udp.1400-unlimited",
  ]);
  const figures = ["http.new", "http.new-cpu"];
  deepEqual(wanted(plan(["http"], "our-client"), "our-client", figures), ["http.new"]);
});

Deno.test("loadsOf - lines have tunnels of their own", () => {
  const of = plan(["mixed", "delay", "loss.new-p99"], "ours");
  deepEqual(TUNNEL_NAMES.map((name) => names(of, "ours", name).length), [0, 0, 0, 0, 0, 1, 6, 1]);
});

Deno.test("isTraced - where all memory is measured", () => {
  equal(isTraced(plan(["memory"], "ours"), "ours"), true);
  equal(isTraced(plan(["memory"], "ours"), "our-server"), false);
  equal(isTraced(plan(["memory"], "channels"), "channels"), false);
  equal(isTraced(plan(["memory.idle"], "ours"), "ours"), false);
});

Deno.test("programsOf - what the figures and the subjects need", () => {
  deepEqual([...programsOf(plan(["memory.idle"], "ours"))], ["nginx"]);
  deepEqual([...programsOf(plan(["http"], "ours", "old"))], ["nginx", "wrk"]);
  deepEqual([...programsOf(plan(["udp"], "our-server"))], ["nginx", "iperf3", "rathole"]);
  deepEqual([...programsOf(plan(["start"], "frp"))], ["nginx", "frps", "frpc"]);
  deepEqual([...programsOf(plan(["loss"], "channels"))], ["nginx", "wrk"]);
});

Deno.test("estimate - everything takes less than an hour, at two seconds a load", () => {
  const all = ["rathole", "ours", "channels", "frp", "our-server", "our-client"] as const;
  const minutes = estimate({ ...plan([], ...all), seconds: 2 });
  ok(minutes > 30 && minutes < 50, `${minutes}`);
  ok(estimate(plan([], ...all)) < 60);
});

Deno.test("estimate - lines and datagrams have a time of their own", () => {
  const of = (only: string, seconds: number) => estimate({ ...plan([only], "ours"), seconds });
  equal(of("delay", 9), of("delay", 2));
  equal(of("udp.64-600", 9), of("udp.64-600", 2));
  ok(of("http.new", 9) > of("http.new", 2));
  ok(of("memory.visitors-1000", 1) < of(MOST_VISITORS, 1));
});

Deno.test("orderOf - everybody is the first in turn", () => {
  const subjects = ["rathole", "ours", "frp"] as const;
  deepEqual(orderOf(subjects, 0), ["rathole", "ours", "frp"]);
  deepEqual(orderOf(subjects, 1), ["ours", "frp", "rathole"]);
  deepEqual(orderOf(subjects, 3), ["rathole", "ours", "frp"]);
});
