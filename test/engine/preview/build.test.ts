import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Call, Keyword } from "../../../src/dsl/call.js";
import { bootstrapKey } from "../../../src/engine/build/bootstrap.js";
import { type BuildPreview, previewBuild } from "../../../src/engine/preview/build.js";
import { LocalHost } from "../../../src/host/local.js";
import { pull } from "../../../src/image/pull.js";
import { type BuildPlan, planBuild } from "../../../src/plan/build-plan.js";
import type { Script } from "../../../src/script/load.js";
import { renderKey } from "../../../src/template/template.js";
import { makeImage, ref, storeContext } from "../../support/archive.js";
import { testConfig } from "../../support/config.js";
import { tempFolder } from "../../support/temp.js";
import { listTree } from "../../support/tree.js";

let folder: string;
const image = "https://images.example.org/web.tar.zst";

beforeEach(() => {
  folder = tempFolder();
});

const plan = (...said: readonly (readonly [Keyword, ...unknown[]])[]): BuildPlan => planBuild(script(...said));

function script(...said: readonly (readonly [Keyword, ...unknown[]])[]): Script {
  const path = join(folder, "build.ts");
  const calls = said.map(([keyword, ...args], index): Call => ({ keyword, args, at: { file: path, line: index + 1 } }));
  return { path, folder, kind: "build", calls };
}

const preview = (of: BuildPlan): Promise<BuildPreview> =>
  previewBuild({ host: new LocalHost(), config: testConfig(join(folder, "store")), report: () => undefined }, of);

const spec = { distribution: "debian", release: "bookworm" } as const;

describe("previewBuild", () => {
  test("an image from nothing has no layers, no environment and no BOOTSTRAP, and needs no store", async () => {
    const of = plan(["IMAGE", image], ["SH", "x"]);
    expect(await preview(of)).toEqual({ plan: of, images: [], bootstrapCached: undefined, environment: [] });
    expect(existsSync(join(folder, "store"))).toBe(false);
  });

  test("the layer of BOOTSTRAP is there, or will be made", async () => {
    const of = plan(["IMAGE", image], ["BOOTSTRAP", spec]);
    expect((await preview(of)).bootstrapCached).toBe(false);
    expect(existsSync(join(folder, "store"))).toBe(false);
    const context = await storeContext(folder);
    const { layer } = await pull(context, ref(makeImage(join(folder, "a.tar.gz"), {})));
    await context.store.setDerived(bootstrapKey(spec), layer.digest);
    const before = listTree(join(folder, "store"));
    expect((await preview(of)).bootstrapCached).toBe(true);
    expect((await preview(plan(["IMAGE", image], ["BOOTSTRAP", { ...spec, packages: ["nginx"] }]))).bootstrapCached).toBe(false);
    expect(listTree(join(folder, "store"))).toEqual(before);
  });

  test("a CAST that is wrong is an error, one that a build has rendered before is not rendered again", async () => {
    writeFileSync(join(folder, "wrong.conf"), "{{ nothing }}\n");
    const of = planBuild(script(["IMAGE", image], ["CAST", "/wrong.conf"]), { casts: "later" });
    await expect(preview(of)).rejects.toThrow('wrong.conf:1: undefined variable "nothing"');
    // As if it had been right.
    const { store } = await storeContext(folder);
    store.notes.renders.note(renderKey("{{ nothing }}\n", { source: "/wrong.conf", target: "/wrong.conf" }), "a".repeat(64));
    await store.notes.renders.save();
    const before = listTree(join(folder, "store"));
    expect((await preview(of)).plan).toBe(of);
    expect(listTree(join(folder, "store"))).toEqual(before);
  });

  test("ancestors come with the later PULL on top, and an image that cannot be read hides no other", async () => {
    const a = makeImage(join(folder, "a.tar.gz"), { settings: [{ name: "Environment", value: "A=a" }] });
    const b = makeImage(join(folder, "b.tar.gz"), { parents: [a] });
    const gone = `file://${folder}/gone.tar.gz`;
    const { images, environment } = await preview(plan(["IMAGE", image], ["PULL", b], ["PULL", gone]));
    expect(images.map(({ image: { written }, state }) => [written, state])).toEqual([
      [gone, "unknown"],
      [b, "new"],
      [a, "new"],
    ]);
    expect(environment).toEqual([{ name: "Environment", value: "A=a", origin: a }]);
  });

  test("the environment of commands: of Environment and WorkingDirectory the nearest, with origins, and no other setting", async () => {
    const a = makeImage(join(folder, "a.tar.gz"), {
      settings: [
        { name: "Environment", value: "A=a" },
        { name: "Environment", value: "B=a" },
        { name: "WorkingDirectory", value: "/srv" },
        { name: "Hostname", value: "a" },
      ],
    });
    const of = plan(["IMAGE", image], ["PULL", a], ["WITH", { Environment: { A: "own" }, Boot: true }]);
    expect((await preview(of)).environment).toEqual([
      { name: "Environment", value: "B=a", origin: a },
      { name: "WorkingDirectory", value: "/srv", origin: a },
      { name: "Environment", value: "A=own", origin: image, at: { file: join(folder, "build.ts"), line: 3 } },
    ]);
  });

  test("a PULL that is pinned to what is stored is shown as stored", async () => {
    const a = makeImage(join(folder, "a.tar.gz"), {});
    const context = await storeContext(folder);
    const { layer } = await pull(context, ref(a));
    const { images } = await preview(plan(["IMAGE", image], ["PULL", { url: a, digest: layer.digest }]));
    expect(images).toMatchObject([{ state: "stored", stored: { digest: layer.digest } }]);
    const other = `sha256:${"0".repeat(64)}`;
    await expect(preview(plan(["IMAGE", image], ["PULL", { url: a, digest: other }]))).rejects.toThrow(/expected is sha256:0/);
  });
});
