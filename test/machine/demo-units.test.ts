import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { ScriptKind } from "../../src/dsl/call.js";
import { recording } from "../../src/dsl/record.js";
import { machineOf } from "../../src/engine/setup/resolve-machine.js";
import type { StoredImage } from "../../src/image/store.js";
import { settle } from "../../src/machine/settle.js";
import { renderUnit } from "../../src/machine/unit.js";
import { planBuild } from "../../src/plan/build-plan.js";
import { planSetup } from "../../src/plan/setup-plan.js";
import type { Script } from "../../src/script/load.js";
import { isScript } from "../../src/script/problem.js";
import { testConfig } from "../support/config.js";

/** The demo, which `scripts/demo` shows in its host at /root/demo. */
const demo = fileURLToPath(new URL("../../demo/debian", import.meta.url));
const store = "/var/lib/nspawn";
const config = testConfig(store);

test("the units that the demo's setup scripts make are those beside them", async () => {
  const base = await builtImage("base");
  const chains = { base: [base], web: [await builtImage("web"), base] };
  for (const [name, chain] of Object.entries(chains)) {
    const plan = planSetup(await scriptOf("setup", join(demo, name, "setup.ts")));
    const settled = settle(plan, chain, { trustList: config.machine.trustList, systemd: 252 });
    expect([...settled.problems, ...settled.refusals, ...settled.warnings]).toEqual([]);
    const unit = renderUnit(machineOf(plan, chain, settled, config, join(store, "extract"))).text;
    const shown = unit.replaceAll(demo, "/root/demo").replace(/\/(usr\/)?s?bin\//g, "/usr/bin/");
    await expect(shown).toMatchFileSnapshot(join(demo, name, `${name}.service`));
  }
});

/** A script as script/load.ts runs it, here by vitest's own loader. */
async function scriptOf(kind: ScriptKind, path: string): Promise<Script> {
  const calls = await recording(kind, { isScript, config }, async () => {
    await import(pathToFileURL(path).href);
  });
  return { path, folder: dirname(path), kind, calls };
}

/** The image that a build script would make, under a digest of its name. */
async function builtImage(name: string): Promise<StoredImage> {
  const plan = planBuild(await scriptOf("build", join(demo, name, "build.ts")));
  const hash = createHash("sha256").update(name).digest("hex");
  const id = hash.slice(0, 16);
  return {
    image: plan.image,
    layer: {
      id,
      folder: join(store, "extract", id),
      digest: `sha256:${hash}`,
      bytes: 1,
      root: { mode: 0o755, uid: 0, gid: 0, attributes: false },
    },
    meta: {
      url: plan.image.url,
      parents: [],
      command: plan.command,
      settings: plan.settings.entries.map(({ name, value }) => ({ name, value })),
      removed: plan.settings.removed,
    },
  };
}
