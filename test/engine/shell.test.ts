import { expect, test } from "vitest";
import { shellCommand } from "../../src/engine/shell.js";

test.each([
  [
    ["sh", "-e", "-c"],
    ["sh", "-e", "-c", "echo $& {script}"],
  ],
  [
    ["sh", "-c", "{script}", "name"],
    ["sh", "-c", "echo $& {script}", "name"],
  ],
  [
    ["bash", "-c", "set -o pipefail; {script}"],
    ["bash", "-c", "set -o pipefail; echo $& {script}"],
  ],
])("%j runs the script as %j", (invoke, command) => {
  expect(shellCommand(invoke, "echo $& {script}")).toEqual(command);
});
