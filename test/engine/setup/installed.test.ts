import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { findInstalled, objectionTo } from "../../../src/engine/setup/installed.js";
import { type MachinePaths, machinePaths } from "../../../src/machine/paths.js";
import { testConfig } from "../../support/config.js";
import { tempFolder } from "../../support/temp.js";

let paths: MachinePaths;

beforeEach(() => {
  const folder = tempFolder();
  paths = machinePaths("web", testConfig(join(folder, "store")), { machines: join(folder, "machines"), units: join(folder, "units") });
  mkdirSync(join(folder, "units"));
});

describe("findInstalled", () => {
  test("nothing, or the machine with its unit", async () => {
    expect(await findInstalled(paths, "")).toEqual({ kind: "nothing" });
    mkdirSync(paths.root, { recursive: true });
    expect(await findInstalled(paths, "")).toEqual({ kind: "nothing" });
    writeFileSync(paths.unit, "# nspawn machine web\n");
    expect(await findInstalled(paths, paths.unit)).toEqual({ kind: "machine", unit: "# nspawn machine web\n" });
  });

  test("what is not ours: a unit here or elsewhere, a folder with something in it", async () => {
    const why = async (fragment = ""): Promise<unknown> => (await findInstalled(paths, fragment)) as unknown;
    expect(await why("/lib/systemd/system/web.service")).toMatchObject({
      kind: "foreign",
      error: { message: "web.service is no machine of nspawn: /lib/systemd/system/web.service was not made by it" },
    });
    mkdirSync(join(paths.root, "etc"), { recursive: true });
    expect(await why()).toMatchObject({ kind: "foreign", error: { message: expect.stringContaining("which is not empty") } });
    writeFileSync(paths.unit, "[Unit]\n");
    expect(await why()).toMatchObject({ kind: "foreign", error: { message: expect.stringContaining(paths.unit) } });
  });

  test.runIf(process.getuid?.() === 0)("a unit that this user may not read is there, and unknown", async () => {
    writeFileSync(paths.unit, "# nspawn machine web\n");
    chmodSync(paths.unit, 0o600);
    chmodSync(join(paths.unit, "../.."), 0o755);
    // Root may read it: seteuid(2) to nobody, for this call.
    process.seteuid?.(65534);
    try {
      expect(await findInstalled(paths, "")).toEqual({ kind: "unreadable" });
    } finally {
      process.seteuid?.(0);
    }
  });
});

describe("objectionTo", () => {
  const why = (...[action, exists, active]: [Parameters<typeof objectionTo>[0], boolean, string?]): string | undefined =>
    objectionTo(action, "web", { exists, active })?.message;

  test("create wants none, delete one that does not run, and others one that is there", () => {
    expect(why("create", true)).toBe("the machine web is there already");
    for (const action of ["delete", "enable", "disable", "start", "stop"] as const)
      expect(why(action, false)).toBe("there is no machine web on this host");
    expect(why("delete", true, "active")).toBe("the machine web runs (active)");
    expect(why("delete", true, "failed")).toBeUndefined();
    expect(why("delete", true)).toBeUndefined();
  });

  test("enable wants a unit that says how", () => {
    const enable = (unit: string): string | undefined => objectionTo("enable", "web", { exists: true, active: "active", unit })?.message;
    expect(enable("[Service]\n[Install]\nWantedBy=a.target\n")).toBeUndefined();
    expect(enable("[Service]\n[Install]\n#WantedBy=a.target\n")).toContain("its unit has no [Install]");
  });

  test("the rest comes to terms with whatever there is", () => {
    for (const action of ["update", "ensure", "desure", "command"] as const)
      for (const exists of [true, false]) expect(why(action, exists, "active")).toBeUndefined();
  });
});
