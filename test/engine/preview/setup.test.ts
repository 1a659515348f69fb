import { chmodSync, existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Event } from "../../../src/base/events.js";
import type { Call, Keyword } from "../../../src/dsl/call.js";
import { type MadeOf, previewSetup, type SetupPreview } from "../../../src/engine/preview/setup.js";
import type { Action } from "../../../src/engine/setup/action.js";
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

const events: Event[] = [];
const preview = (of: SetupPlan, action: Action = "update"): Promise<SetupPreview> =>
  previewSetup(
    { host: new LocalHost(), config: testConfig(join(folder, "store")), report: (event) => void events.push(event) },
    of,
    action,
  );

/** What an update would do, with what the machine is made of. */
async function update(of: SetupPlan): Promise<SetupPreview & MadeOf> {
  const shown = await preview(of);
  return { ...shown, ...there(shown.made) };
}

const web = (image: string, ...more: readonly (readonly [Keyword, ...unknown[]])[]): Promise<SetupPreview & MadeOf> =>
  update(plan(["IMAGE", image], ["MACHINE", "web"], ...more));

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
    expect(planned.planned).toMatch(/#\s+Environment="A=1" {2}# \S+\/setup\.ts:3$/m);
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
    expect(planned).toEqual({
      path: unit,
      installed: undefined,
      change: "unknown",
      trouble: expect.stringContaining("an image cannot be had"),
    });
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

describe("actions that make no machine", () => {
  const dead = "http://127.0.0.1:9/gone.tar.gz";
  const of = (): SetupPlan => plan(["IMAGE", dead], ["MACHINE", "web"]);

  test("ask for no image, and show what becomes of the unit that is there", async () => {
    const text = "# nspawn machine web\n[Service]\nExecStopPost=-/usr/bin/rm --recursive /x\n[Install]\nWantedBy=machines.target\n";
    writeFileSync(unit, text);
    const change = { desure: "removed", delete: "removed", stop: "kept", start: "kept", enable: "kept", disable: "kept" } as const;
    for (const action of ["desure", "delete", "stop", "start", "enable", "disable"] as const) {
      const shown = await preview(of(), action);
      expect(shown).toMatchObject({ action, exists: true, made: undefined, objection: undefined });
      expect(shown.unit).toEqual({ path: unit, installed: text, change: change[action] });
    }
    expect((await preview(of(), "ensure")).made).toBeUndefined();
    expect((await preview(of(), "create")).objection?.message).toContain("is there already");
  });

  test("where there is no machine, desure has nothing to do, and others cannot be done", async () => {
    expect(await preview(of(), "desure")).toMatchObject({ exists: false, effects: [], objection: undefined, unit: { change: "kept" } });
    expect((await preview(of(), "stop")).objection?.message).toContain("there is no machine web");
    expect((await preview(of(), "command")).objection).toBeUndefined();
  });

  test("a unit of somebody else is told", async () => {
    writeFileSync(unit, "[Unit]\n");
    expect((await preview(of(), "desure")).objection?.message).toContain("is no machine of nspawn");
    expect(await preview(of(), "command")).toMatchObject({ objection: undefined, effects: [] });
  });
});

describe.runIf(process.getuid?.() === 0)("a unit that this user may not read", () => {
  test("is a warning, and the rest of the plan is there", async () => {
    const image = make("a", { command: ["a"] });
    writeFileSync(unit, "# nspawn machine web\n", { mode: 0o600 });
    chmodSync(folder, 0o755);
    events.length = 0;
    process.seteuid?.(65534);
    try {
      const shown = await web(image);
      expect(shown).toMatchObject({ exists: true, effects: undefined, unit: { change: "unknown", trouble: "this user may not read it" } });
      expect(shown.unit.planned).toContain("ExecStart=");
      expect((await preview(plan(["IMAGE", image], ["MACHINE", "web"]), "desure")).unit.change).toBe("removed");
    } finally {
      process.seteuid?.(0);
    }
    expect(events).toContainEqual({ kind: "warning", text: expect.stringMatching(/this user may not read the unit \S+web\.service/) });
  });
});

describe("what speaks against the machine", () => {
  test("a machine that nobody says anything to run in is worth a warning", async () => {
    events.length = 0;
    await web(make("a"));
    expect(events).toContainEqual({ kind: "warning", text: expect.stringMatching(/^nothing says what the machine web runs/) });
  });

  test("a template of the script's own that is wrong is told at MACHINE", async () => {
    writeFileSync(join(folder, "own.service"), "{{ nmae }}");
    const { unit: planned } = await preview(plan(["IMAGE", make("a")], ["MACHINE", { name: "web", template: "own.service" }]));
    expect(planned).toMatchObject({
      error: {
        exitCode: 2,
        problems: [{ at: { line: 2 }, message: expect.stringMatching(/^MACHINE: .*own\.service:1: undefined variable/) }],
      },
    });
  });

  test("is told with the settings, and the unit is planned all the same", async () => {
    const image = make("a", { settings: [{ name: "Boot", value: "yes" }] });
    const { settled, unit: planned } = await web(image, ["EXEC", ["own"]], ["WITH", { RestrictAddressFamilies: "AF_INET" }]);
    expect(settled.refusals.map(({ message }) => message)).toEqual([expect.stringMatching(/^EXEC of .* would become arguments of init/)]);
    expect(settled.problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^WITH: RestrictAddressFamilies needs systemd 261, this host has \d+/),
    ]);
    expect(planned.change).toBe("new");
  });

  test("hostile metadata are an error that names the image", async () => {
    makeArchive(join(folder, "evil.tar.gz"), { "nspawn-image.yaml": 'profile_entry_list: ["Hostname=a\\nExecStart=/bin/evil"]' });
    await expect(web(`file://${folder}/evil.tar.gz`)).rejects.toThrow(/the image \S+\/evil\.tar\.gz has a wrong nspawn-image\.yaml/);
  });
});
