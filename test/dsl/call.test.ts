import { describe, expect, test } from "vitest";
import { keywords } from "../../src/dsl/call.js";

describe.each(["build", "setup"] as const)("nspawn/%s", (kind) => {
  test("exports its keywords and TOOL, and nothing else", async () => {
    const exported = Object.keys(await import(`../../src/dsl/${kind}.js`));
    expect(exported.sort()).toEqual([...keywords[kind], "TOOL"].sort());
  });
});
