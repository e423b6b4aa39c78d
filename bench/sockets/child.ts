/** The other processes of the probe (`relay SPEC PORT`, `sink`, `load`), driven by lines of JSON. */
import process from "node:process";
import { commands } from "./commands.ts";
import { run } from "./load.ts";
import { startRelay } from "./relays.ts";
import { startSink } from "./sink.ts";

const [role, spec = "", target = ""] = Deno.args;
const say = (value: unknown) => console.log(JSON.stringify(value));

if (role === "relay") say({ port: await startRelay(spec, Number(target)) });
else say({ port: role === "sink" ? startSink() : 0 });

for await (const line of commands()) {
  if (line !== "stat") say(await run(JSON.parse(line)));
  else {
    const { user, system } = process.cpuUsage();
    say({ cpu: user + system });
  }
}
Deno.exit(0);
