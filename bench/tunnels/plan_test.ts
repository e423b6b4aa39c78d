import { deepEqual, equal, ok } from "node:assert/strict";
import { FIGURES } from "./catalogue.ts";
import { LOADS } from "./loads.ts";
import { MEMORY_FIGURES } from "./memory.ts";
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

const names = (of: Plan, subject: Subject, transport: "tcp" | "tls" = "tcp") =>
  loadsOf(of, subject, transport).map(({ figures: [first] }) => first);

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

Deno.test("isTraced - where all memory is measured", () => {
  equal(isTraced(plan(["memory"], "ours"), "ours"), true);
  equal(isTraced(plan(["memory"], "ours"), "our-server"), false);
  equal(isTraced(plan(["memory.idle"], "ours"), "ours"), false);
});

Deno.test("programsOf - what the figures and the subjects need", () => {
  deepEqual([...programsOf(plan(["memory.idle"], "ours"))], ["nginx"]);
  deepEqual([...programsOf(plan(["http"], "ours", "old"))], ["nginx", "wrk"]);
  deepEqual([...programsOf(plan(["udp"], "our-server"))], ["nginx", "iperf3", "rathole"]);
  deepEqual([...programsOf(plan(["start"], "frp"))], ["nginx", "frps", "frpc"]);
});

Deno.test("estimate - everything takes half an hour", () => {
  const minutes = estimate(plan([], "rathole", "ours", "frp", "our-server", "our-client"));
  ok(minutes > 20 && minutes < 35, `${minutes}`);
});

Deno.test("orderOf - everybody is the first in turn", () => {
  const subjects = ["rathole", "ours", "frp"] as const;
  deepEqual(orderOf(subjects, 0), ["rathole", "ours", "frp"]);
  deepEqual(orderOf(subjects, 1), ["ours", "frp", "rathole"]);
  deepEqual(orderOf(subjects, 3), ["rathole", "ours", "frp"]);
});
