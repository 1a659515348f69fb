import { expect, test } from "vitest";
import { canEnable, installOf } from "../../src/machine/unit-install.js";

test("the lines of [Install] are what counts, wherever it stands, comments aside", () => {
  const unit =
    "# [Install]\n[Unit]\nDescription=a\n\n[Install]\n# why\nWantedBy=a.target\n\n[Service]\nExecStart=/x\n[Install]\nAlias=b.service\n";
  expect(installOf(unit)).toBe("WantedBy=a.target\nAlias=b.service");
  expect(installOf("[Install]\n; nothing\n")).toBe("");
  expect(installOf("[Service]\nExecStart=/bin/echo \\\n  [Install]\n")).toBe("");
});

test.each([
  ["WantedBy=machines.target", true],
  ["WantedBy=machines.target\nWantedBy=", false],
  ["WantedBy=machines.target\nWantedBy=\nWantedBy = a.target", true],
  ["WantedBy=machines.target\nWantedBy=\nAlias=b.service", true],
  ["WantedBy=\nAlso=b.service", false],
  ["", false],
])("whether a unit can be enabled: %j", (lines, can) => {
  expect(canEnable(`[Service]\nExecStart=/x\n[Install]\n${lines}\n`)).toBe(can);
});
