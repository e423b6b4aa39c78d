import { table } from "../../tests/support/expect_report.ts";

Deno.test("errors of syntax", () => {
  const notToml = 'f:1:1: this is not TOML; write [client], then keys such as remote_addr = "…"';
  table([
    ["[client]\ntoken = hunter2", 'f:2:9: text needs quotes; write token = "…"'],
    ["[client]\n  remote_addr = 1.2.3.4:5", 'f:2:17: text needs quotes; write remote_addr = "…"'],
    ["heartbeat_interval = 1m30s", 'f:1:22: text needs quotes; write heartbeat_interval = "…"'],
    ["hunter2 = x", 'f:1:11: text needs quotes; write key = "…"'],
    [
      "[client]\ntoken = “hunter2”",
      'f:2:9: the quotes are typographic; write straight ones, token = "…"',
    ],
    ["prefer_ipv6 = True", "f:1:15: true and false are lower case; write prefer_ipv6 = true"],
    ["[client]\ntoken =\n\n[server]", 'f:2:8: the value is missing; write token = "…"'],
    ["a: 1", "f:1:2: the key is followed by a colon; write key = value"],
    ['{"server": {}}', notToml],
    ["<html>hunter2", notToml],
    ["Hello world", 'f:1:7: there is no =; write key = "value"'],
    [
      "[client]\ntoken = 'hunter2",
      "f:2:17: the text does not end; close it with the quote it began with, on the same line",
    ],
    ["[client", "f:1:8: the table's header does not end; close it with ]"],
    ["[client\n\nservices = {}", "f:1:8: the table's header does not end; close it with ]"],
    ["a\n= 1", "f:2:1: key, = and value must be on one line; join them"],
    ["a = {b = 1", "f:1:11: the inline table does not end; add }"],
    ["a = [1", "f:1:7: the array does not end; add ]"],
    [
      String.raw`token = "C:\qunter2"`,
      String.raw`f:1:13: a backslash needs a second one; write \\ for it, or use single quotes`,
    ],
    [
      "token = 'it''s hunter2'",
      "f:1:13: something follows what should end the line; begin a new line, or a comment with #",
    ],
    [
      "[a]\nb = 1\n[a]",
      "f:3:2: the table [a] is there twice, first in line 1; write its keys below one header",
    ],
    [
      "[client]\ntoken = 'hunter2'\n\ntoken = 'hunter2'",
      "f:4:1: the key token is there twice, first in line 2; leave one out",
    ],
    ["'hunter2' = 1\n'hunter2' = 2", "f:2:1: a key is there twice; leave one out"],
    ["\0\u0001hunter2", "f:1:1: the file is not UTF-8 text; save it as UTF-8"],
    [
      'token = "\u0001hunter2"',
      "f:1:10: there is a control character; leave it out, or in text write an escape such as " +
      String.raw`"\t"`,
    ],
    [
      `a = ${"[".repeat(20_000)}${"]".repeat(20_000)}`,
      "f:1:1: the file is nested too deep, or has a text too long, to be read",
    ],
  ]);
});
