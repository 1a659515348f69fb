import { expect, test } from "vitest";
import { whyRebuilt } from "../../../src/engine/build/why-rebuilt.js";
import type { BuildNote, StepInputs } from "../../../src/image/store/build-notes.js";

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const file = (mode: string, content: string, type = "file", time = "1", attributes = ""): string =>
  JSON.stringify([type, mode, time, content, attributes]);
const copy = (parts: Readonly<Record<string, string>>, text = "COPY /etc → /etc"): StepInputs => ({
  kind: "copy",
  text,
  parts,
  causes: {},
});
const sh = (script: string): StepInputs => ({ kind: "sh", text: `SH ${script}`, parts: { script }, causes: {} });

function why(
  before: readonly StepInputs[],
  now: StepInputs,
  more: { base?: BuildNote["base"]; rebuiltBefore?: string; index?: number } = {},
) {
  const last = { base: { "file:///a": digest("1") }, steps: before.map((step, index) => ({ ...step, key: `key ${index}` })) };
  return whyRebuilt(last, {
    inputs: now,
    key: "key 0",
    index: more.index ?? 0,
    steps: [now],
    base: more.base ?? last.base,
    rebuiltBefore: more.rebuiltBefore,
  });
}

test("without a build before there is nothing to compare with", () => {
  expect(whyRebuilt(undefined, { inputs: sh("a"), key: "", index: 0, steps: [], base: {}, rebuiltBefore: undefined })).toBe(
    "no build of this image is known here",
  );
});

test.each<[string, StepInputs, StepInputs]>([
  ["a: another content", copy({ "file a": file("644", "1") }), copy({ "file a": file("644", "2") })],
  ["a: mode 600, it was 644", copy({ "file a": file("644", "1") }), copy({ "file a": file("600", "1") })],
  ["a: another time", copy({ "file a": file("644", "1") }), copy({ "file a": file("644", "1", "file", "2") })],
  ["a: other attributes", copy({ "file a": file("644", "1") }), copy({ "file a": file("644", "1", "file", "1", "x") })],
  ["a: a folder, it was a file", copy({ "file a": file("644", "1") }), copy({ "file a": file("755", "", "folder") })],
  ["l: another target", copy({ "file l": file("777", "x", "symlink") }), copy({ "file l": file("777", "y", "symlink") })],
  ["b is new; a is gone", copy({ "file a": file("644", "1") }), copy({ "file b": file("644", "1") })],
  ["target is /b, it was /a", copy({ target: "/a" }), copy({ target: "/b" })],
  ["script is another", sh("a"), sh("b")],
  [
    "a is new; b is new; c is new; and 2 more",
    copy({}),
    copy(Object.fromEntries([..."abcde"].map((name) => [`file ${name}`, file("644", "1")]))),
  ],
  ["the step is new", copy({}), sh("a")],
  ["its layer is no longer in the cache", sh("a"), sh("a")],
])("says: %s", (words, before, now) => {
  expect(why([before], now)).toBe(words);
});

test("a step that is the same has something else below it", () => {
  const before = [copy({}), sh("a")];
  expect(why(before, sh("a"), { rebuiltBefore: "build.ts:3" })).toBe("the step before it, at build.ts:3, was done again");
  const base = { "file:///a": digest("2") };
  expect(why(before, sh("a"), { base })).toBe("file:///a is another version: sha256:222222222222, it was sha256:111111111111");
  expect(why(before, sh("a"), { base: { "file:///a": digest("1"), "file:///b": digest("2") } })).toBe("file:///b lies below it now");
  expect(why(before, sh("a"), { base: {} })).toBe("file:///a does not lie below it any more");
  expect(why(before, sh("a"))).toBe("the steps before it are others");
});
