import assert from "node:assert/strict";
import { RatholeError } from "../runtime/errors.ts";
import { bindError, connectError, lostError, resolveError, sandboxError } from "./system_errors.ts";

const AT = { hostname: "2001:db8::1", port: 80 };

function withCode(code: string, message = "the system's words (os error 1)"): Error {
  return Object.assign(new Error(message), { code });
}

function told(error: RatholeError): [string, string] {
  return [error.code, error.message];
}

Deno.test("a connection that cannot be opened: code and message by cause", () => {
  const cases: [unknown, string, string][] = [
    [
      new Deno.errors.ConnectionRefused("Connection refused (os error 111)"),
      "connect",
      "[2001:db8::1]:80 refused the connection",
    ],
    [
      new Deno.errors.TimedOut("Connection timed out (os error 110)"),
      "connect",
      "cannot connect to [2001:db8::1]:80: Connection timed out",
    ],
    [
      withCode("EMFILE", "Too many open files (os error 24)"),
      "connect",
      'cannot connect to [2001:db8::1]:80: no file descriptors left (raise "ulimit -n")',
    ],
    [
      new Error("failed to lookup address information: Name or service not known"),
      "resolve",
      'cannot find an address for the host name "2001:db8::1"',
    ],
    [
      withCode("EAI_AGAIN"),
      "resolve",
      'cannot find an address for the host name "2001:db8::1"',
    ],
    [
      new Deno.errors.NotCapable("Requires net access"),
      "permission",
      "the Deno sandbox does not allow connecting to [2001:db8::1]:80; " +
      "add --allow-net=[2001:db8::1]:80",
    ],
    ["no error at all", "connect", "cannot connect to [2001:db8::1]:80: no error at all"],
  ];
  for (const [cause, code, message] of cases) {
    const error = connectError(AT, cause);
    assert.deepEqual(told(error), [code, message]);
    assert.equal(error.cause, cause);
  }
});

Deno.test("an address that cannot be listened on: code and message by cause", () => {
  const inUse = "the address is in use by another program or service";
  const notHere = "this machine does not have that address";
  const forbidden =
    "the system does not allow it (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
  const cases: [unknown, string][] = [
    [new Deno.errors.AddrInUse("Address already in use (os error 98)"), inUse],
    [withCode("EADDRINUSE"), inUse],
    [new Deno.errors.AddrNotAvailable("Cannot assign (os error 99)"), notHere],
    [withCode("EADDRNOTAVAIL"), notHere],
    [new Deno.errors.PermissionDenied("Permission denied (os error 13)"), forbidden],
    [withCode("EACCES"), forbidden],
    [new Error("Out of luck (os error 7)"), "Out of luck"],
  ];
  for (const [cause, because] of cases) {
    assert.deepEqual(told(bindError(AT, cause)), [
      "bind",
      `cannot listen on [2001:db8::1]:80: ${because}`,
    ]);
  }
  assert.equal(bindError(AT, new Deno.errors.NotCapable("no")).code, "permission");
  assert.equal(bindError(AT, withCode("ENOTFOUND")).code, "resolve");
});

Deno.test("a connection that broke is `closed`, in words of this program where it has some", () => {
  const cases: [unknown, string][] = [
    [new Deno.errors.ConnectionReset("x (os error 104)"), "the peer reset the connection"],
    [new Deno.errors.BrokenPipe("x (os error 32)"), "the peer no longer takes data"],
    [new Deno.errors.TimedOut("x (os error 110)"), "the peer's machine stopped answering"],
    [new Error("No route (os error 113)"), "the connection was lost: No route"],
  ];
  for (const [cause, message] of cases) {
    assert.deepEqual(told(lostError(cause)), ["closed", message]);
  }
});

Deno.test("an error of ours passes as it is", () => {
  const error = new RatholeError("timeout", "took too long");
  assert.equal(connectError(AT, error), error);
  assert.equal(bindError(AT, error), error);
  assert.equal(lostError(error), error);
  assert.equal(resolveError("host", error).cause, error);
  assert.match(sandboxError("listening on", "host:1").message, /--allow-net=host:1$/);
});
