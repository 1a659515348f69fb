import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { keptOf } from "../../../src/engine/setup/drop-generations.js";
import { restored, rollbackTarget } from "../../../src/engine/setup/rollback.js";
import type { Generation } from "../../../src/machine/generations.js";
import { there } from "../../support/files.js";
import { tempFolder } from "../../support/temp.js";

const id = (number: number): string => String(number).repeat(16).slice(0, 16);
const generation = (number: number, more: Partial<Generation> = {}): Generation => ({
  number,
  time: "2026-11-24T03:50:03.000Z",
  image: `https://images.example.org/${number}.tar.zst`,
  digest: "sha256:1",
  state: "keep",
  layers: [id(number)],
  layer: number,
  unit: "",
  ...more,
});

let extractFolder: string;
beforeEach(() => {
  extractFolder = tempFolder();
  for (const number of [1, 2, 3]) mkdirSync(join(extractFolder, id(number)));
});

const target = (all: readonly Generation[], number?: number): Promise<number> =>
  rollbackTarget("web", all, there(all.at(-1)), { number, extractFolder }).then((found) => found.number);
const three = [generation(1), generation(2), generation(3)];

test("a rollback goes to the generation before, or to the one that is named", async () => {
  expect(await target(three)).toBe(2);
  expect(await target(three, 1)).toBe(1);
});

test("two rollbacks go back two, and an update after that can be undone", async () => {
  const once = keptOf([...three, restored(generation(2), three)], 3);
  expect(once.map(({ number }) => number)).toEqual([1, 3, 4]);
  expect(await target(once)).toBe(1);
  const twice = keptOf([...once, restored(generation(1), once)], 3);
  expect(twice.map(({ number, layer }) => [number, layer])).toEqual([
    [3, 3],
    [4, 2],
    [5, 1],
  ]);
  await expect(target(twice)).rejects.toThrow("the machine web has no generation before 1 to go back to");
  expect(await target(twice, 3)).toBe(3);
  expect(await target([...twice, generation(6)])).toBe(5);
});

test("where there is none it says which there are", async () => {
  await expect(target([generation(1)])).rejects.toMatchObject({ hint: "updates from now on will leave some" });
  await expect(target(three, 7)).rejects.toMatchObject({
    message: "the machine web has no generation 7 to go back to",
    hint: expect.stringContaining("there are 1 (https://images.example.org/1.tar.zst), 2 ("),
  });
  await expect(target(three, 3)).rejects.toThrow("is at generation 3 already");
});

test("a generation whose layers are gone is refused, with their ids", async () => {
  const lost = generation(2, { layers: [id(2), id(8)] });
  await expect(target([lost, generation(3)])).rejects.toThrow(
    `generation 2 of the machine web cannot come back: its layers ${id(8)} are not`,
  );
});

test("as many generations are kept as the configuration says, and the last one always", () => {
  expect(keptOf(three, 2).map(({ number }) => number)).toEqual([2, 3]);
  for (const count of [0, 1]) expect(keptOf(three, count).map(({ number }) => number)).toEqual([3]);
});
