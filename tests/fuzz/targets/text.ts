/**
 * Short texts of a configuration, the environment and the command line.
 *
 * @module
 */

import { isIPv4, isIPv6 } from "node:net";
import { formatProblem } from "../../../src/config/problem.ts";
import { isHost, parseHost } from "../../../src/certificates/hosts.ts";
import { parseArguments } from "../../../src/cli/arguments.ts";
import { parseLogFilter } from "../../../src/cli/log_filter.ts";
import { durationProblem, MAX_SECONDS, parseDuration } from "../../../src/config/duration.ts";
import {
  keyProblem,
  keyRole,
  noiseKeyBytes,
  parseNoiseName,
} from "../../../src/config/noise_pattern.ts";
import { parseProxy } from "../../../src/config/proxy.ts";
import { PATTERNS } from "../../../src/noise/patterns.ts";
import {
  asciiHost,
  formatAddress,
  formatIp,
  isAddress,
  isLoopback,
  parseAddress,
  parseIp,
  sourceNetwork,
} from "../../../src/runtime/address.ts";
import { contains, parseNetwork } from "../../../src/runtime/network.ts";
import { bytesOf } from "../../support/local_services.ts";
import { sameBytes } from "../engine/pieces.ts";
import { must, proportional, type Target } from "../engine/target.ts";

/** A target that takes text. */
export function textTarget(
  target: Omit<Target, "seeds" | "run"> & {
    readonly texts: readonly string[];
    read(text: string): string;
  },
): Target {
  const { texts, read, ...rest } = target;
  const decoder = new TextDecoder();
  return {
    longest: 300,
    batch: 256,
    allowance: proportional,
    ...rest,
    seeds: texts.map(bytesOf),
    run: (input) => read(decoder.decode(input)),
  };
}

/** Addresses, networks and the names of certificates: what is read is what would be written. */
export function addresses(): Target {
  return textTarget({
    name: "addresses",
    texts: [
      ...["127.0.0.1:22", "[::1]:0", "example.com:65535", "[fe80::1%eth0]:80", "10.0.0.0/8"],
      ...["fd00::/8", "::ffff:192.0.2.1", "*.example.com", "bücher.example", "1:2:3:4:5:6:7:8"],
    ],
    tokens: [
      ".",
      ":",
      "::",
      "[",
      "]",
      "%",
      "/",
      "ffff",
      "255",
      "256",
      "0",
      "xn--",
      "ü",
      "localhost",
    ],
    read(text) {
      const address = parseAddress(text);
      if (isAddress(address)) {
        const again = parseAddress(formatAddress(address));
        must(JSON.stringify(again) === JSON.stringify(address), "an address that changes");
        isLoopback(address.hostname);
        sourceNetwork(address.hostname);
      }
      const ip = parseIp(text);
      must(
        (ip !== null) === (isIPv4(text) || isIPv6(text) && !text.includes("%")),
        "an IP address?",
      );
      if (ip !== null) {
        must(sameBytes(parseIp(formatIp(ip)) ?? ip.subarray(1), ip), "an IP address that changes");
      }
      const network = parseNetwork(text);
      // An IPv4 address in IPv6 form is in no network of IPv6.
      const mapped = /^[0:]*:ffff:/i.test(text);
      must(
        network === null || mapped || contains(network, network.base),
        "a network without its address",
      );
      const host = parseHost(text);
      if (isHost(host)) {
        must(JSON.stringify(parseHost(host.text)) === JSON.stringify(host), "a host that changes");
      }
      const name = asciiHost(text);
      return [
        isAddress(address) ? "ok" : address.problem,
        ip?.length,
        network?.base.length,
        isHost(host) ? host.kind : host.problem,
        name === null,
      ].join();
    },
  });
}

/** Times, proxies and names of Noise. */
export function values(): Target {
  return textTarget({
    name: "values",
    texts: [
      ...["500ms", "1m30s", "2h 5m", "30", "-1s", "1.5h", "socks5://user:hunter2@[::1]:1080"],
      ...[
        "http://proxy.example",
        "Noise_NK_25519_ChaChaPoly_BLAKE2s",
        "Noise_X1X1_448_AESGCM_SHA512",
      ],
      ...["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "Noise_NKpsk0_25519_AESGCM_SHA256"],
    ],
    tokens: [
      ...[
        "ms",
        "s",
        "m",
        "h",
        "d",
        " ",
        "9".repeat(30),
        "socks5://",
        "hunter2",
        "http://",
        "@",
        ":",
        "%",
        "/",
      ],
      ...[
        "Noise_",
        "_25519",
        "_448",
        "_AESGCM",
        "_SHA256",
        "_BLAKE2b",
        "KK1",
        "I1X1",
        "IX",
        "=",
        "#",
      ],
    ],
    read(text) {
      const seconds = parseDuration(text);
      must(seconds === null || seconds >= 0 && seconds <= MAX_SECONDS, `${seconds} seconds`);
      const problem = durationProblem(text);
      const proxy = parseProxy(text);
      if (typeof proxy === "string") {
        must(!proxy.includes("hunter2"), "a proxy's password repeated");
      } else {
        must(proxy.port > 0 && proxy.port <= 65_535 && proxy.hostname !== "", "a proxy nowhere");
      }
      const name = parseNoiseName(text);
      if (typeof name !== "string") {
        must(PATTERNS.has(name.pattern), "a pattern that is not there");
        for (const side of ["server", "client"] as const) keyRole(name, side);
        noiseKeyBytes(name);
      }
      const key = keyProblem(text, 32);
      if (key === undefined) {
        must(Uint8Array.fromBase64(text).length === 32, "a key of other length");
      }
      return [
        seconds === null ? problem.slice(0, 20) : "time",
        typeof proxy === "string" ? proxy : `${proxy.scheme} ${proxy.username === undefined}`,
        typeof name === "string" ? name.slice(0, 40) : "noise",
        key?.replaceAll(/\d+/g, "#"),
      ].join();
    },
  });
}

/** RUST_LOG. */
export function logFilters(): Target {
  return textTarget({
    name: "log-filters",
    texts: ["info", "rathole=debug,warn", "rathole::server=off,error", "a[span{x=1}]=trace,5", ""],
    tokens: ["=", ",", "::", "[", "]", "{", "}", "off", "trace", "rathole", "WARN", "6", " "],
    read(text) {
      const { filter, ignored } = parseLogFilter(text);
      const levels = ["fatal", "error", "warning", "info", "debug", "trace"] as const;
      const wanted = ["rathole", "rathole::server"].map((target) => {
        const verdicts = levels.map((level) => filter.accepts(target, level));
        must(verdicts.lastIndexOf(true) + 1 === verdicts.filter(Boolean).length, "a gap");
        return verdicts.lastIndexOf(true);
      });
      for (const sentence of ignored) must(sentence.startsWith("RUST_LOG: "), sentence);
      return `${filter.verbosest} ${wanted.join()} ${Math.min(3, ignored.length)} ` +
        (ignored[0]?.replace(/'[^]*'/, "…").slice(0, 60) ?? "");
    },
  });
}

/** The command line, an argument a line. */
export function commandLines(): Target {
  return textTarget({
    name: "command-lines",
    texts: [
      ...["config.toml", "--server\nconfig.toml", "-c\n--log-format\njson\nx", "--genkey\nx448"],
      ...["gen-cert\na.example\n--out\ncerts\n--force", "--help", "-V", "--\n--server", "-sc\nx"],
    ],
    tokens: [
      ...[
        "--server",
        "--client",
        "--genkey",
        "--log-format",
        "--out",
        "--force",
        "--help",
        "-h",
        "=",
      ],
      ...["\n", "--", "-", "gen-cert", "text", "json", "x25519", "\n\n", "__proto__", "-s", "-c"],
    ],
    read(text) {
      const command = parseArguments(text.split("\n"));
      if (command.kind !== "usage") return command.kind;
      must(command.message.length > 0, "a usage without a message");
      return command.message.replaceAll(/'[^]*'|--\S+/g, "…").slice(0, 80);
    },
  });
}

/** Shows problems as a user would see them: one line each, with nothing that a terminal obeys. */
export function lineOf(problem: Parameters<typeof formatProblem>[0]): string {
  const line = formatProblem(problem);
  must(
    !/[\p{Cc}\u2028\u2029\u202a-\u202e]/u.test(line),
    `a control character in ${Deno.inspect(line)}`,
  );
  return line;
}
