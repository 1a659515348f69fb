import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import {
  addGeneration,
  amendGeneration,
  currentOf,
  endTrial,
  type Generation,
  generationBefore,
  listGenerations,
  nextNumber,
  removeGeneration,
} from "../../src/machine/generations.js";
import { tempFolder } from "../support/temp.js";

const generation = (number: number, more: Partial<Generation> = {}): Generation => ({
  number,
  time: "2026-11-24T03:50:03.000Z",
  image: "https://images.example.org/web.tar.zst",
  digest: "sha256:1",
  state: "keep",
  layers: ["a".repeat(16)],
  layer: number,
  unit: `# nspawn machine web\n# ${number}\n`,
  ...more,
});

let paths: { readonly generations: string };
beforeEach(() => {
  paths = { generations: join(tempFolder(), "generation/web") };
});

describe("generations on disk", () => {
  test("come back as they were written, in the order of their numbers", async () => {
    const probe = { kind: "tcp", host: undefined, port: 80, seconds: 30 } as const;
    const all = [generation(2), generation(9, { probe, restored: 1 }), generation(10, { trial: { from: 9, ran: true, invocation: "x" } })];
    for (const one of all.toReversed()) await addGeneration(paths, one);
    expect(await listGenerations(paths)).toEqual(all);
  });

  test("of a machine that has none are none", async () => {
    expect(await listGenerations(paths)).toEqual([]);
  });

  test("that are damaged, or half written, count as not there", async () => {
    await addGeneration(paths, generation(1));
    for (const name of ["2", "3", ".new", ".old", "04", "x"]) mkdirSync(join(paths.generations, name));
    writeFileSync(join(paths.generations, "2/unit"), "");
    writeFileSync(join(paths.generations, "2/generation.json"), "{");
    writeFileSync(join(paths.generations, ".new/unit"), "");
    expect((await listGenerations(paths)).map(({ number }) => number)).toEqual([1]);
    await addGeneration(paths, generation(5));
    expect(existsSync(join(paths.generations, ".new"))).toBe(false);
    expect((await listGenerations(paths)).map(({ number }) => number)).toEqual([1, 5]);
  });

  test.each([
    ["generation.json", "{}"],
    ["generation.json", '{ "time": "x", "image": "x", "digest": 7, "state": "keep", "layers": [], "layer": 1 }'],
    ["generation.json", '{ "time": "x", "image": "x", "digest": "x", "state": "keep", "layers": 3, "layer": 1 }'],
    ["generation.json", '{ "time": "x", "image": "x", "digest": "x", "state": "lost", "layers": [], "layer": 1 }'],
    ["generation.json", '{ "time": "x", "image": "x", "digest": "x", "state": "keep", "layers": [] }'],
    ["trial.json", '{ "ran": tr'],
    ["trial.json", "{}"],
  ])("count as not there with a %s of %s, and one of the same number takes the place", async (file, text) => {
    await addGeneration(paths, generation(1));
    await addGeneration(paths, generation(2, { trial: { ran: true, invocation: "x" } }));
    writeFileSync(join(paths.generations, "2", file), text);
    expect(await listGenerations(paths)).toEqual([generation(1)]);
    await addGeneration(paths, generation(2));
    expect(await listGenerations(paths)).toEqual([generation(1), generation(2)]);
  });

  test("are none where something else is in their place", async () => {
    mkdirSync(join(paths.generations, "1/generation.json"), { recursive: true });
    writeFileSync(join(paths.generations, "1/unit"), "");
    expect(await listGenerations(paths)).toEqual([]);
    expect(await listGenerations({ generations: join(paths.generations, "1/unit") })).toEqual([]);
  });

  test("end their trial, change, and go", async () => {
    await addGeneration(paths, generation(1, { trial: { ran: false, invocation: "" } }));
    expect(currentOf(await listGenerations(paths))).toBeUndefined();
    await endTrial(paths, generation(1));
    expect(currentOf(await listGenerations(paths))).toEqual(generation(1));
    await amendGeneration(paths, generation(1, { unit: "other" }));
    expect(await listGenerations(paths)).toEqual([generation(1, { unit: "other" })]);
    await removeGeneration(paths, generation(1));
    expect(readdirSync(paths.generations)).toEqual([]);
  });
});

describe("the generation before", () => {
  const earlier = (all: readonly Generation[]): number | undefined => generationBefore(all, all.at(-1) as Generation)?.number;

  test("is the one that ran before; the first has none", () => {
    expect(earlier([generation(1), generation(3), generation(4)])).toBe(3);
    expect(earlier([generation(4)])).toBeUndefined();
  });

  test("of one that came back is older than that: each rollback goes further", () => {
    expect(earlier([generation(1), generation(3), generation(4, { restored: 2 })])).toBe(1);
    expect(earlier([generation(3), generation(4), generation(5, { restored: 1 })])).toBeUndefined();
  });

  test("after an update is the one that had come back", () => {
    expect(earlier([generation(3), generation(4, { restored: 2 }), generation(5)])).toBe(4);
  });
});

test("a new number is that of no generation and of no writable layer", () => {
  expect(nextNumber([])).toBe(1);
  expect(nextNumber([generation(2), generation(3, { layer: 1 })])).toBe(4);
  expect(nextNumber([generation(1, { layer: 5 })])).toBe(6);
});
