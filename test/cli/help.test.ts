import { describe, expect, test } from "vitest";
import { buildHelp, setupHelp } from "../../src/cli/help.js";

const setup = setupHelp({ update: "bring it up to date", desure: "take it away" });

describe.each([
  ["nspawn-build", buildHelp],
  ["nspawn-setup", setup],
])("the help of %s", (name, { description, after }) => {
  test("has what the command does, an example, exit codes, environment and where to read on", () => {
    expect(description).toContain("Keywords: IMAGE");
    for (const part of [`import {`, `#!/usr/bin/env ${name}`, "--plan", "Exit codes: 0 done", "NSPAWN_STORAGE_ROOT", "docs/language.md"]) {
      expect(after).toContain(part);
    }
  });

  test("fits a terminal", () => {
    for (const line of `${description}\n${after}`.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});

test("actions stand in a table", () => {
  expect(setup.after).toContain("  update  bring it up to date\n  desure  take it away\n");
});
