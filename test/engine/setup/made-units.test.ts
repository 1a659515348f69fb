import { beforeEach, expect, test } from "vitest";
import { MadeUnits } from "../../../src/engine/setup/made-units.js";
import { machinePaths, withLayer } from "../../../src/machine/paths.js";
import { type Machine, unitKey } from "../../../src/machine/unit.js";
import { testConfig } from "../../support/config.js";

const config = testConfig("/var/lib/nspawn");
const image = { written: "file:///a.tar", url: "file:///a.tar", scheme: "file" as const };
const layer = {
  id: "1111111111111111",
  folder: "/var/lib/nspawn/extract/1111111111111111",
  digest: `sha256:${"1".repeat(64)}`,
  bytes: 1,
  root: { mode: 0o755, uid: 0, gid: 0, attributes: false },
};
const machine = (script: string): Machine => ({
  script,
  chain: [{ image, layer, meta: { url: image.url, parents: [], command: undefined, settings: [], removed: [] } }],
  settings: [],
  command: undefined,
  paths: machinePaths("web", config),
  layersFolder: "/var/lib/nspawn/extract",
  config: config.machine,
  systemd: 252,
  spec: { name: "web", template: undefined, unitConf: [], serviceConf: [], installConf: [], state: "volatile" },
});

const keyOf = (of: Machine, layer: number): string => unitKey({ ...of, paths: withLayer(of.paths, layer) });

let notes: Map<string, string>;
let made: MadeUnits;
beforeEach(() => {
  notes = new Map();
  made = new MadeUnits({ find: (key) => notes.get(key), note: (key, digest) => void notes.set(key, digest) });
});

test("a unit is that of a machine if it was made of the same", () => {
  const one = machine("/srv/one.ts");
  expect(made.knows("unit")).toBe(false);
  expect(made.isOf("unit", one, 3)).toBe(false);
  made.note("unit", keyOf(one, 3));
  expect(made.knows("unit")).toBe(true);
  expect(made.isOf("unit", one, 3)).toBe(true);
  expect(made.isOf("unit", one, 4)).toBe(false);
  expect(made.isOf("unit", machine("/srv/other.ts"), 3)).toBe(false);
  expect(made.isOf("other unit", one, 3)).toBe(false);
});

test("the last one that a unit was made of counts", () => {
  const [one, other] = [machine("/srv/one.ts"), machine("/srv/other.ts")];
  for (const each of [one, other]) made.note("unit", keyOf(each, 1));
  expect(made.isOf("unit", one, 1)).toBe(false);
  expect(made.isOf("unit", other, 1)).toBe(true);
});

test("where the template cannot be read, nothing is known: who renders it tells why", () => {
  const one = machine("/srv/one.ts");
  made.note("unit", keyOf(one, 1));
  expect(made.isOf("unit", { ...one, spec: { ...one.spec, template: "/nonexistent" } }, 1)).toBe(false);
});
