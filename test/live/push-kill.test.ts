import { copyFileSync, existsSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { digestOf, Lab } from "./support/build.js";
import { inLanes, kills, lanes, Pace, timeOf } from "./support/kill.js";
import { leaksIn, processesWith } from "./support/store.js";

const lab = new Lab("/dev/shm");
afterAll(() => lab.remove());

test(`kill -9 at ${kills} moments of a push leaves the old image or the new one at its URL, and the next push succeeds and cleans up`, async () => {
  // As the archives are reproducible, whole ones are known by their digests.
  const env = { SOURCE_DATE_EPOCH: "1700000000" };
  const script = (lane: number, version: string): string => {
    const path = lab.script(
      `IMAGE("${lab.url(`lane-${lane}/pushed.tar.gz`)}"); COPY("/files"); PUSH();`,
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`files/${i}`, `${version} ${i}\n`.repeat(5000)])),
    );
    for (const name of [".", ...readdirSync(join(path, "../files"))]) utimesSync(join(path, "../files", name), 1.7e9, 1.7e9);
    return path;
  };
  const versions = Array.from({ length: lanes }, (_, lane) => ({ old: script(lane, "old"), new: script(lane, "new") }));
  const folderOf = (lane: number): string => join(lab.images, `lane-${lane}`);
  const archiveOf = (lane: number): string => join(folderOf(lane), "pushed.tar.gz");
  const push = (lane: number, version: "old" | "new") => lab.run(versions[lane]?.[version] ?? "", { store: storeOf(lane), env });
  const storeOf = (lane: number): string => join(lab.folder, `push-${lane}`);
  const pace = new Pace(await timeOf((lane) => push(lane, "new")));
  const digests = (): readonly string[] => versions.map((_, lane) => digestOf(archiveOf(lane)));
  const after = digests();
  await timeOf((lane) => push(lane, "old"));
  const before = digests();
  for (const lane of versions.keys()) copyFileSync(archiveOf(lane), join(lab.folder, `old-${lane}`));
  for (const digest of after) expect(before).not.toContain(digest);
  const killed = await inLanes(async (lane, moment) => {
    // Every other time there is nothing at the URL yet; else there is the old version.
    const isFirst = Math.random() < 0.5;
    if (isFirst) rmSync(archiveOf(lane), { force: true });
    else copyFileSync(join(lab.folder, `old-${lane}`), archiveOf(lane));
    const wasKilled = await pace.kill(lab.start(versions[lane]?.new ?? "", { store: storeOf(lane), env }), 0.2 + 0.75 * moment);
    if (existsSync(archiveOf(lane)) || !isFirst)
      expect([after[lane], ...(isFirst ? [] : [before[lane]])]).toContain(digestOf(archiveOf(lane)));
    // Of the others, the next trial shows that a push succeeds after two kills.
    if (Math.random() < 0.5) return wasKilled;
    const { code, stderr } = await push(lane, "new");
    expect(code, stderr).toBe(0);
    expect(digestOf(archiveOf(lane))).toBe(after[lane]);
    expect(readdirSync(folderOf(lane))).toEqual(["pushed.tar.gz"]);
    expect(leaksIn(storeOf(lane))).toEqual([]);
    return wasKilled;
  });
  await timeOf((lane) => push(lane, "new"));
  for (const lane of versions.keys()) {
    expect(readdirSync(folderOf(lane))).toEqual(["pushed.tar.gz"]);
    expect(leaksIn(storeOf(lane))).toEqual([]);
  }
  expect(killed).toBeGreaterThan(kills / 2);
  // What has the disk take a pull goes on when that has ended, but not for long.
  await expect.poll(() => processesWith(join(lab.folder, "push-"))).toEqual([]);
});
