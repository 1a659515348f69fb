import { expect, test } from "vitest";
import * as build from "../../src/dsl/build.js";
import { keywords } from "../../src/dsl/call.js";
import * as setup from "../../src/dsl/setup.js";

test("either kind of script imports its keywords and TOOL, and nothing else", () => {
  expect(Object.keys(build).sort()).toEqual([...keywords.build, "TOOL"].sort());
  expect(Object.keys(setup).sort()).toEqual([...keywords.setup, "TOOL"].sort());
});
