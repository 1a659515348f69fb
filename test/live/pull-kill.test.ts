import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Lab, runProgram } from "./support/build.js";
import { inLanes, kills, Pace, timeOf } from "./support/kill.js";
import { layersOf, leaksIn, processesWith, recordsOf, treeHash, whenSynced } from "./support/store.js";

const lab = new Lab("/dev/shm");

beforeAll(async () => {
  const folder = join(lab.folder, "content");
  mkdirSync(join(folder, "files"), { recursive: true });
  writeFileSync(join(folder, "random"), randomBytes(4_000_000));
  for (let i = 0; i < 300; i++) writeFileSync(join(folder, "files", `${i}`), `${i}\n`);
  await runProgram(["tar", "-C", folder, "-czf", lab.archive("base.tar.gz"), "."]);
  rmSync(join(folder, "random"));
  writeFileSync(join(folder, "nspawn-image.yaml"), `image_url: ${lab.url("top.tar.gz")}\noverlay_url_list: [${lab.url("base.tar.gz")}]\n`);
  await runProgram(["tar", "-C", folder, "-czf", lab.archive("top.tar.gz"), "."]);
});
afterAll(() => lab.remove());

test(`kill -9 at ${kills} moments of a pull leaves nothing half, and the next pull succeeds and cleans up`, async () => {
  const words = ["image", "pull", lab.url("top.tar.gz")];
  const whole = join(lab.folder, "lane-whole-0");
  const pace = new Pace(await timeOf((lane) => lab.nspawn(words, { store: join(lab.folder, `lane-whole-${lane}`) })));
  const hashes = new Map(await Promise.all(layersOf(whole).map(async (id) => [id, await treeHash(join(whole, "extract", id))] as const)));
  expect(hashes.size).toBe(2);
  const expectWhole = async (store: string): Promise<void> => {
    const layers = layersOf(store);
    for (const id of layers) expect(await treeHash(join(store, "extract", id)), id).toBe(hashes.get(id));
    for (const { digest } of recordsOf(store)) expect(layers).toContain(digest.slice("sha256:".length, "sha256:".length + 16));
  };
  const killed = await inLanes(async (lane, moment) => {
    const store = join(lab.folder, `lane-${lane}`);
    await runProgram(["rm", "-rf", store]);
    const wasKilled = await pace.kill(lab.startNspawn(words, { store }), moment);
    await expectWhole(store);
    const { code, stderr } = await lab.nspawn(words, { store });
    expect(code, stderr).toBe(0);
    await expectWhole(store);
    expect(layersOf(store)).toHaveLength(2);
    expect(recordsOf(store)).toHaveLength(2);
    await whenSynced(store);
    expect(readdirSync(join(store, "extract"))).toHaveLength(2);
    expect(leaksIn(store)).toEqual([]);
    return wasKilled;
  });
  expect(killed).toBeGreaterThan(kills / 2);
  // What has the disk take a pull goes on when that has ended, but not for long.
  await expect.poll(() => processesWith(join(lab.folder, "lane-"))).toEqual([]);
});
