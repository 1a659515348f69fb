import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baseIdentity, lowersOf, type Stack, stepKey, withStep } from "../../../src/engine/build/stack.js";

const start: Stack = { layers: { own: ["/boot"], prime: ["/prime"], below: ["/a", "/b"] }, bottom: 1, identity: "x" };

describe("a stack", () => {
  test("shows a step the ones before it, then prime, then a bootstrapped root and the ancestors", () => {
    const two = withStep(withStep(start, { id: "1", folder: "/one" }), { id: "2", folder: "/two" });
    expect(lowersOf(two)).toEqual(["/two", "/one", "/prime", "/boot", "/a", "/b"]);
    expect(two.identity).toBe("2");
  });

  test("stays what it is where a step changed nothing", () => {
    expect(withStep(start, { id: "1", folder: undefined })).toBe(start);
  });
});

describe("a step's key", () => {
  test("is another for each other part, kind or layer below, whatever they hold", () => {
    const parts = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(fc.tuple(fc.string(), fc.string(), parts), fc.tuple(fc.string(), fc.string(), parts), (a, b) => {
        const key = ([identity, kind, content]: typeof a): string => stepKey(identity, { kind, parts: content });
        const same =
          a[0] === b[0] && a[1] === b[1] && JSON.stringify(Object.entries(a[2]).sort()) === JSON.stringify(Object.entries(b[2]).sort());
        expect(key(a) === key(b)).toBe(same);
      }),
    );
  });

  test("does not depend on the order of the parts, and that of what lies below does on its order", () => {
    expect(stepKey("x", { kind: "run", parts: { a: "1", b: "2" } })).toBe(stepKey("x", { kind: "run", parts: { b: "2", a: "1" } }));
    expect(baseIdentity(["1", "2"])).not.toBe(baseIdentity(["2", "1"]));
  });
});
