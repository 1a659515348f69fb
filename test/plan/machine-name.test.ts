import { describe, expect, test } from "vitest";
import { checkMachineName } from "../../src/plan/machine-name.js";

/** As systemd-nspawn --machine= of 252, 257 and 262 takes and refuses them, tried one by one. */
describe("checkMachineName", () => {
  test.each(["web", "a", "web-1", "web.example.org", "A-b", "0", "x".repeat(64)])("%s is a machine name", (name) => {
    expect(checkMachineName(name)).toBeUndefined();
  });

  test.each([
    "",
    ".",
    "..",
    "a..b",
    ".a",
    "a.",
    "-a",
    "a-",
    "a.-b",
    "a b",
    "a/b",
    "a\n",
    "a\0",
    "é",
    "a%b",
    "a$b",
    "a@b",
    "a_b",
    "x".repeat(65),
  ])("%j is none", (name) => {
    expect(checkMachineName(name)).toMatch(/machine name/);
  });
});
