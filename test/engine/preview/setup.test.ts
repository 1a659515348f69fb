import { existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Call, Keyword } from "../../../src/dsl/call.js";
import { previewSetup, type SetupPreview } from "../../../src/engine/preview/setup.js";
import { LocalHost } from "../../../src/host/local.js";
import { isSystemdHost } from "../../../src/host/systemd.js";
import { pull } from "../../../src/image/pull.js";
import type * as paths from "../../../src/machine/paths.js";
import { planSetup, type SetupPlan } from "../../../src/plan/setup-plan.js";
import { makeArchive, makeImage, ref, storeContext } from "../../support/archive.js";
import { testConfig } from "../../support/config.js";
import { there } from "../../support/files.js";
import { tempFolder } from "../../support/temp.js";

const { folders } = vi.hoisted(() => ({ folders: { machines: "", units: "" } }));

// Units of the test's own, not of this host.
vi.mock(import("../../../src/machine/paths.js"), async (original) => {
  const real: typeof paths = await original();
  return { ...real, machinePaths: (name, config) => real.machinePaths(name, config, folders) };
});

let folder: string;
let unit: string;

beforeEach(() => {
  folder = tempFolder();
  folders.machines = join(folder, "machines");
  folders.units = join(folder, "units");
  unit = join(folders.units, "web.service");
  mkdirSync(folders.units);
});

const make = (name: string, spec: Parameters<typeof makeImage>[1] = {}): string => makeImage(join(folder, `${name}.tar.gz`), spec);

function plan(...said: readonly (readonly [Keyword, ...unknown[]])[]): SetupPlan {
  const path = join(folder, "setup.ts");
  const calls = said.map(([keyword, ...args], index): Call => ({ keyword, args, at: { file: path, line: index + 1 } }));
  return planSetup({ path, folder, kind: "setup", calls });
}

const preview = (of: SetupPlan): Promise<SetupPreview> =>
  previewSetup({ host: new LocalHost(), config: testConfig(join(folder, "store")), report: () => undefined }, of, "update");

const web = (image: string, ...more: readonly (readonly [Keyword, ...unknown[]])[]): Promise<SetupPreview> =>
  preview(plan(["IMAGE", image], ["MACHINE", "web"], ...more));

/** Pulls an image and installs the unit that the setup would have. */
async function installed(image: string): Promise<string> {
  await pull(await storeContext(folder), ref(image));
  const planned = there((await web(image)).unit.planned);
  writeFileSync(unit, planned);
  return planned;
}

describe("the unit", () => {
  test("where there is none, a new one, for an image that was never pulled as well", async () => {
    const base = make("base", { settings: [{ name: "Hostname", value: "base" }] });
    const top = make("top", { parents: [base], command: ["top", "a b"] });
    const { images, settled, unit: planned, state, action } = await web(top, ["WITH", { Environment: { A: 1 } }]);
    expect(planned).toMatchObject({ path: unit, installed: undefined, change: "new" });
    expect(planned.planned).toMatch(/^# nspawn machine web\n/);
    expect(planned.planned).toContain(` = ${base} `);
    expect(planned.planned).toMatch(/#\s+Hostname="base" {2}# file:\S+base\.tar\.gz/);
    expect(planned.planned).toMatch(/#\s+Environment="A=1" {2}# \S+setup\.ts/);
    expect(images.map((image) => image.state)).toEqual(["new", "new"]);
    expect(settled).toMatchObject({ command: { argv: ["top", "a b"], origin: top }, refusals: [] });
    expect(action).toBe("update");
    expect(state === undefined).toBe(!isSystemdHost());
    expect(existsSync(join(folder, "store"))).toBe(false);
    expect(existsSync(unit)).toBe(false);
  });

  test("no change, where it is what it would be", async () => {
    const image = make("a", { settings: [{ name: "Hostname", value: "a" }] });
    const planned = await installed(image);
    expect((await web(image)).unit).toEqual({ path: unit, installed: planned, planned, change: "none" });
    expect(readFileSync(unit, "utf8")).toBe(planned);
  });

  test("changed by a setting, by a new image, and by an image that has changed meanwhile", async () => {
    const image = make("a");
    const planned = await installed(image);
    const other = await web(image, ["WITH", { Hostname: "other" }]);
    expect(other.unit).toMatchObject({ change: "changed", installed: planned });
    expect(other.unit.planned).toContain("--hostname=other");
    make("a", { files: { more: "x" } });
    const newer = await web(image);
    expect(newer.images).toMatchObject([{ state: "new" }]);
    expect(newer.unit.change).toBe("changed");
    expect((await web(make("b"))).unit.change).toBe("changed");
  });

  test("comments alone, such as the origin of a setting", async () => {
    const image = make("a", { settings: [{ name: "Hostname", value: "a" }] });
    await installed(image);
    expect((await web(image, ["WITH", { Hostname: "a" }])).unit.change).toBe("comments");
  });

  test("unknown, where an image cannot be read, with what is settled so far", async () => {
    const gone = `file://${folder}/gone.tar.gz`;
    const { unit: planned, settled, images } = await web(gone, ["WITH", { Hostname: "own" }]);
    expect(planned).toEqual({ path: unit, installed: undefined, change: "unknown", trouble: `${gone} cannot be read yet` });
    expect(settled.settings).toMatchObject([{ name: "Hostname", value: "own" }]);
    expect(images).toMatchObject([{ state: "unknown", trouble: expect.stringMatching(/there is no such file/) }]);
  });

  test("unknown, where it cannot be made, with the error", async () => {
    const image = make("a");
    writeFileSync(join(folder, "own.service"), "[Unit]\nDescription={{ nmae }}\n");
    const { unit: planned } = await preview(plan(["IMAGE", image], ["MACHINE", { name: "web", template: "own.service" }]));
    expect(planned).toMatchObject({ change: "unknown", error: { name: expect.stringMatching(/Error$/) } });
    expect(planned.change === "unknown" ? planned.trouble : "").toMatch(/nmae/);
  });

  test("from an image in the store whose URL does not answer any more", async () => {
    const image = make("a", { command: ["a"] });
    const planned = await installed(image);
    unlinkSync(join(folder, "a.tar.gz"));
    const shown = await web(image);
    expect(shown.images).toMatchObject([{ state: "unknown", known: { command: ["a"] }, trouble: expect.stringContaining("no such file") }]);
    expect(shown.unit).toMatchObject({ change: "none", planned });
  });
});

describe("what speaks against the machine", () => {
  test("is told with the settings, and the unit is planned all the same", async () => {
    const image = make("a", { settings: [{ name: "Boot", value: "yes" }] });
    const { settled, unit: planned } = await web(image, ["EXEC", ["own"]], ["WITH", { RestrictAddressFamilies: "AF_INET" }]);
    expect(settled.refusals.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^EXEC of .* would become arguments of init/),
      expect.stringMatching(/^RestrictAddressFamilies .* needs systemd 261, this host has \d+/),
    ]);
    expect(planned.change).toBe("new");
  });

  test("hostile metadata are an error that names the image", async () => {
    makeArchive(join(folder, "evil.tar.gz"), { "nspawn-image.yaml": 'profile_entry_list: ["Hostname=a\\nExecStart=/bin/evil"]' });
    await expect(web(`file://${folder}/evil.tar.gz`)).rejects.toThrow(/the image \S+\/evil\.tar\.gz has a wrong nspawn-image\.yaml/);
  });
});
