import { chmodSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findUnits } from "../../src/machine/unit-files.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

test("units of ours are found by their first line, in the order of their names; aliases, folders and others are none", () => {
  const units = tempFolder();
  writeFiles(units, {
    "web.service": "# nspawn machine web\n[Unit]\n",
    "db.example.service": "# nspawn machine db.example\n",
    "other.service": "[Unit]\n# nspawn machine other\n",
    "webby.service": "# nspawn machine web\n",
    "copy.service.bak": "# nspawn machine copy\n",
    "folder.service/x": "",
    "web.service.d/more.conf": "# nspawn machine web\n",
  });
  symlinkSync("web.service", join(units, "www.service"));
  symlinkSync("loop.service", join(units, "loop.service"));
  symlinkSync("/nonexistent/gone.service", join(units, "gone.service"));
  chmodSync(join(units, "other.service"), 0o600);
  expect(findUnits({ units })).toEqual([
    { name: "db.example", path: join(units, "db.example.service"), text: "# nspawn machine db.example\n" },
    { name: "web", path: join(units, "web.service"), text: "# nspawn machine web\n[Unit]\n" },
  ]);
});

test("a host without units has no machines", () => {
  expect(findUnits({ units: join(tempFolder(), "none") })).toEqual([]);
});
