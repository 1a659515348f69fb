import { describe, expect, test } from "vitest";
import { describeProbe, type ProbeSpec, probe } from "../../src/plan/probe.js";
import { Mismatch } from "../../src/plan/shape.js";

const wrong = (value: unknown): readonly string[] => {
  const result = probe(value);
  return result instanceof Mismatch ? result.causes.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)) : [];
};

describe("a probe", () => {
  test.each<readonly [unknown, ProbeSpec]>([
    [{ command: "true && false" }, { kind: "command", argv: ["/bin/sh", "-c", "true && false"], seconds: 30 }],
    [
      { command: ["nginx", "-t"], timeout: 0.5 },
      { kind: "command", argv: ["nginx", "-t"], seconds: 0.5 },
    ],
    [{ tcp: 80 }, { kind: "tcp", host: undefined, port: 80, seconds: 30 }],
    [{ tcp: "80" }, { kind: "tcp", host: undefined, port: 80, seconds: 30 }],
    [{ tcp: "web.example.org:8080" }, { kind: "tcp", host: "web.example.org", port: 8080, seconds: 30 }],
    [{ tcp: "[2001:db8::1]:443" }, { kind: "tcp", host: "2001:db8::1", port: 443, seconds: 30 }],
    [
      { http: "https://example.org/health", timeout: 5 },
      { kind: "http", url: "https://example.org/health", seconds: 5 },
    ],
    [
      { http: "http://[::1]:8080", tcp: undefined },
      { kind: "http", url: "http://[::1]:8080", seconds: 30 },
    ],
  ])("%j", (given, expected) => {
    expect(probe(given)).toEqual(expected);
  });

  test.each<readonly [unknown, string]>([
    [{}, "expected one of command, tcp and http, got {}"],
    [{ timeout: 3 }, 'expected one of command, tcp and http, got {"timeout":3}'],
    [{ command: "a", tcp: 1 }, "command and tcp: give one of them"],
    [{ comand: "a" }, 'there is no field "comand"'],
    [{ command: [] }, "command: expected a list of texts"],
    [{ command: "" }, "command: expected a command"],
    [{ command: [1] }, "command[0]: expected a text, got 1"],
    [{ tcp: 0 }, 'tcp: expected a port, or "host:port", got 0'],
    [{ tcp: 65536 }, "tcp: expected a port"],
    [{ tcp: "::1:80" }, "tcp: expected a port"],
    [{ tcp: "http://a:80" }, "tcp: expected a port"],
    [{ tcp: 1.5 }, "tcp: expected a port"],
    [{ tcp: true }, "tcp: expected a port"],
    [{ http: "ftp://a" }, "http: expected an http: or https: URL"],
    [{ http: "web" }, "http: expected an http: or https: URL"],
    [{ command: "a", timeout: 0 }, "timeout: expected a number of seconds"],
    [{ command: "a", timeout: "5s" }, "timeout: expected a number of seconds"],
    [{ command: "a", timeout: Number.NaN }, "timeout: expected a number of seconds"],
    ["true", "expected an object"],
    [80, "expected an object"],
    [null, "expected an object"],
  ])("%j is wrong", (given, message) => {
    expect(wrong(given)).toEqual([expect.stringContaining(message)]);
  });

  test("all that is wrong is told", () => {
    expect(wrong({ tcp: -1, timeout: -1 })).toHaveLength(2);
  });

  test("a login is refused, and not shown", () => {
    const [message = ""] = wrong({ http: "https://me:geheim@example.org/" });
    expect(message).toContain("login");
    expect(message).not.toContain("geheim");
  });

  test("what is no object is told how to write it", () => {
    const hint = (value: unknown): string | undefined => (probe(value) as Mismatch).causes[0]?.hint;
    expect([hint(80), hint("http://a/"), hint("nginx -t"), hint(["a"])]).toEqual([
      "write { tcp: 80 }",
      'write { http: "http://a/" }',
      'write { command: "nginx -t" }',
      "write { command: […] }",
    ]);
  });

  test("in words", () => {
    const words = (value: unknown): string => describeProbe(probe(value) as ProbeSpec);
    expect(words({ command: ["a", "b c\n"] })).toBe("a 'b c\\n'");
    expect(words({ tcp: 80 })).toBe("TCP port 80 of the machine");
    expect(words({ tcp: "[::1]:80" })).toBe("TCP [::1]:80");
    expect(words({ http: "http://a/" })).toBe("http://a/");
  });
});
