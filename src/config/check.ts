/**
 * All checks of one side of a configuration, in one go.
 *
 * @module
 */

import * as v from "valibot";
import { error, type Finding, type Side } from "./finding.ts";
import { completeClient, completeServer } from "./inherit.ts";
import { formatKey, type Path } from "./problem.ts";
import { sideRules } from "./rules.ts";
import { clientSchema, serverSchema } from "./schema.ts";
import { fileShape, type Shape, shapeAt } from "./shape.ts";
import { checkStructure, isClosed, type Structure } from "./structure.ts";
import type { ClientConfig, Config, ServerConfig } from "./types.ts";
import { valueAt } from "./value.ts";

/** What the checks made of a value: everything found, and the result if nothing is an error. */
export interface Checked<Result> {
  /** In no particular order. */
  readonly findings: readonly Finding[];
  /** Undefined when a finding is an error. */
  readonly result: Result | undefined;
}

/** Checks a whole file's values. */
export function checkFile(root: unknown): Checked<Config> {
  const structure = checkStructure(root, fileShape, []);
  const blocks = { server: valueAt(root, ["server"]), client: valueAt(root, ["client"]) };
  const server = blocks.server === undefined ? undefined : serverSide(blocks.server, structure);
  const client = blocks.client === undefined ? undefined : clientSide(blocks.client, structure);
  const findings = [
    ...structure.findings,
    ...server?.findings ?? [],
    ...client?.findings ?? [],
  ];
  if (server === undefined && client === undefined && findings.length === 0) {
    findings.push(error([], "neither [server] nor [client] is there; write one of them, or both"));
  }
  const result = findings.some(isError)
    ? undefined
    : { server: server?.result, client: client?.result };
  return { findings, result };
}

/** Checks what a program that embeds a server passes. */
export function checkServer(options: unknown = {}): Checked<ServerConfig> {
  const structure = checkStructure(options, sideShape("server"), ["server"]);
  return withStructure(structure, serverSide(options, structure));
}

/** Checks what a program that embeds a client passes. */
export function checkClient(options: unknown = {}): Checked<ClientConfig> {
  const structure = checkStructure(options, sideShape("client"), ["client"]);
  return withStructure(structure, clientSide(options, structure));
}

function withStructure<Result>(structure: Structure, checked: Checked<Result>): Checked<Result> {
  const findings = [...structure.findings, ...checked.findings];
  return { findings, result: findings.some(isError) ? undefined : checked.result };
}

function serverSide(block: unknown, structure: Structure): Checked<ServerConfig> {
  const parsed = v.safeParse(serverSchema, block);
  const findings = sideFindings("server", block, parsed.issues ?? [], structure);
  const usable = parsed.success && structure.findings.length === 0 && !findings.some(isError);
  return { findings, result: usable ? completeServer(parsed.output) : undefined };
}

function clientSide(block: unknown, structure: Structure): Checked<ClientConfig> {
  const parsed = v.safeParse(clientSchema, block);
  const findings = sideFindings("client", block, parsed.issues ?? [], structure);
  const usable = parsed.success && structure.findings.length === 0 && !findings.some(isError);
  return { findings, result: usable ? completeClient(parsed.output) : undefined };
}

function sideFindings(
  side: Side,
  block: unknown,
  issues: readonly v.BaseIssue<unknown>[],
  structure: Structure,
): Finding[] {
  const judged = issues.map((issue) => fromIssue(side, issue));
  const misspelt = isClosed(structure, [side, "default_token"]);
  return [...firstOfEachKey(judged), ...sideRules(side, block, misspelt)]
    .filter((finding) => !isClosed(structure, finding.path));
}

/** A negative fraction breaks two rules; one message is enough to mend it. */
function firstOfEachKey(findings: readonly Finding[]): Finding[] {
  const seen = new Map<string, Finding>();
  for (const finding of findings) {
    const key = formatKey(finding.path);
    if (!seen.has(key)) seen.set(key, finding);
  }
  return [...seen.values()];
}

function fromIssue(side: Side, issue: v.BaseIssue<unknown>): Finding {
  const items = issue.path ?? [];
  const path = [side, ...items.map((item) => String(item.key))];
  const missing = issue.type === "object" && items.at(-1)?.origin === "key";
  return error(path, missing ? missingKey(path) : issue.message);
}

function missingKey(path: Path): string {
  const shape = shapeAt(path);
  if (shape?.each !== undefined) {
    return `is missing; write [${formatKey([...path, "NAME"])}] for each service`;
  }
  return `is missing; write ${path.at(-1)} = ${shape?.example ?? "…"}`;
}

function sideShape(side: Side): Shape {
  return fileShape.keys?.get(side) ?? fileShape;
}

function isError(finding: Finding): boolean {
  return finding.severity === "error";
}
