import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { layerUsers, mountUse, unitUse } from "../../src/machine/layer-users.js";
import { testConfig } from "../support/config.js";
import { there, writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

const [a, b, c] = ["a", "b", "c"].map((char) => char.repeat(16)) as [string, string, string];

describe("a unit", () => {
  test("as it is rendered names all layers of its machine", () => {
    const text = readFileSync(new URL("./golden/full.service", import.meta.url), "utf8");
    const lower = there(/lowerdir=([0-9a-f:]+)/.exec(text)?.[1]).split(":");
    expect(lower.length).toBeGreaterThan(1);
    expect(unitUse(text)?.layers).toEqual(expect.arrayContaining(lower));
  });

  test("may name them in any way that a template of one's own has", () => {
    const digest = `sha256:${c}${"0".repeat(48)}`;
    expect(unitUse(`# nspawn machine web\nA=/srv/extract/${a}\nB=${b}:x ${digest}\nC=${"1".repeat(17)}`)).toEqual({
      machine: "web",
      layers: [a, b, c],
    });
  });

  test("that is not ours says nothing", () => {
    expect(unitUse(`[Service]\nExecStart=/bin/x ${a}`)).toBeUndefined();
  });
});

test("a mounted root is known by its source", () => {
  const line = (source: string): string =>
    `61 28 0:50 / /var/lib/machines/web rw,nodev shared:30 - overlay ${source} rw,lowerdir=${a}:${b},upperdir=/x/upper,index=off`;
  expect(mountUse(line("nspawn-web"))).toEqual({ machine: "web", layers: [a, b] });
  expect(mountUse(line("overlay"))).toBeUndefined();
  expect(mountUse("28 1 254:0 / / rw - ext4 /dev/vda rw")).toBeUndefined();
});

test("machines are found by units; a layer that only another generation has is that one's", async () => {
  const folder = tempFolder();
  const unit = (name: string, id: string): string => `# nspawn machine ${name}\nlowerdir=${id}\n`;
  writeFiles(folder, {
    "units/web.service": unit("web", a),
    "units/web.service.bak": unit("old", b),
    "units/other.service": `[Unit]\n${b}`,
    "units/db.service": unit("db", b),
    "units/web.service.d/more.conf": "",
    "store/generation/web/4/unit": unit("web", c) + b,
    "store/generation/web/5/unit": unit("web", a),
    "store/generation/web/.old/unit": unit("web", "d".repeat(16)),
  });
  const users = await layerUsers(testConfig(join(folder, "store")), { machines: join(folder, "machines"), units: join(folder, "units") });
  expect(users).toEqual([
    { machine: "db", layers: [b] },
    { machine: "web", layers: [a] },
    { machine: "web, generation 4", layers: [b, c] },
  ]);
});

test("a host without units has no machines", async () => {
  const folder = tempFolder();
  expect(await layerUsers(testConfig(join(folder, "store")), { machines: folder, units: join(folder, "none") })).toEqual([]);
});
