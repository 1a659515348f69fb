import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { type ArchitectureNaming, architecture, debianArchitecture } from "../../../src/dsl/tool/architecture.js";

describe("architecture", () => {
  test("on this host it is what dpkg and uname say", () => {
    expect(architecture()).toBe(execFileSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).trim());
    expect(architecture("debian")).toBe(architecture());
    expect(architecture("kernel")).toBe(execFileSync("uname", ["-m"], { encoding: "utf8" }).trim());
  });

  test("another naming is an error", () => {
    expect(() => architecture("gnu" as ArchitectureNaming)).toThrow('TOOL.architecture: expected "debian" or "kernel", not "gnu"');
  });

  test.each([
    ["x64", "LE", "amd64"],
    ["ia32", "LE", "i386"],
    ["arm64", "LE", "arm64"],
    ["arm", "LE", "armhf"],
    ["ppc64", "LE", "ppc64el"],
    ["ppc64", "BE", "ppc64"],
    ["riscv64", "LE", "riscv64"],
    ["s390x", "BE", "s390x"],
    ["loong64", "LE", "loong64"],
  ] as const)("Node's %s (%s) is Debian's %s", (arch, order, expected) => {
    expect(debianArchitecture(arch, order)).toBe(expected);
  });
});
