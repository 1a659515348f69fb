import { symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ScriptError } from "../../src/base/errors.js";
import type { Call, Keyword } from "../../src/dsl/call.js";
import { planBuild } from "../../src/plan/build-plan.js";
import { showBuildPlan } from "../../src/plan/show.js";
import type { Script } from "../../src/script/load.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

const image = "https://h/web.tar.zst";
type Said = readonly [Keyword, ...unknown[]];

/** A script that says these, a line each. */
function script(folder: string, ...said: readonly Said[]): Script {
  const path = `${folder}/build.ts`;
  const calls = said.map(([keyword, ...args], index): Call => ({ keyword, args, at: { file: path, line: index + 1 } }));
  return { path, folder, kind: "build", calls };
}

function problems(folder: string, ...said: readonly Said[]): readonly string[] {
  try {
    planBuild(script(folder, ...said));
  } catch (error) {
    if (error instanceof ScriptError) return error.problems.map(({ at, message }) => `${at.line}: ${message}`);
    throw error;
  }
  return [];
}

describe("planBuild", () => {
  test("a plan has parents in the order of PULL and work in the order written, wherever the PULLs stand", () => {
    const folder = tempFolder();
    writeFiles(folder, { "etc/a": "a" });
    const plan = planBuild(
      script(
        folder,
        ["SH", "one"],
        ["PULL", "https://h/a.tar.gz"],
        ["COPY", "/etc"],
        ["IMAGE", image],
        ["PULL", { url: "https://h/b.tar.gz", digest: `sha256:${"0".repeat(64)}` }],
        ["RUN", ["two"]],
        ["PUSH"],
      ),
    );
    expect(plan.parents.map(({ image, digest }) => [image.url, digest])).toEqual([
      ["https://h/a.tar.gz", undefined],
      ["https://h/b.tar.gz", `sha256:${"0".repeat(64)}`],
    ]);
    expect(plan.work.map(({ kind }) => kind)).toEqual(["sh", "copy", "run"]);
    expect(plan.push).toBe(true);
  });

  test("settings of several WITH are together, of the image", () => {
    const plan = planBuild(script("/srv", ["IMAGE", image], ["WITH", { Boot: true, Bind: null }], ["WITH", { Hostname: "a", Bind: null }]));
    expect(plan.settings).toEqual({
      origin: image,
      removed: ["Bind"],
      entries: [
        { name: "Boot", value: "yes" },
        { name: "Hostname", value: "a" },
      ],
    });
    expect(plan.push).toBe(false);
  });

  test("a script without IMAGE is told so at its first line", () => {
    expect(problems("/srv", ["PUSH"])).toEqual(["1: there is no IMAGE"]);
    expect(problems("/srv")).toEqual(["1: there is no IMAGE"]);
  });

  test("a wrong IMAGE is one problem, not a missing one as well", () => {
    expect(problems("/srv", ["IMAGE", "nope"])).toEqual(['1: IMAGE: "nope" is no URL']);
  });

  test.each(["IMAGE", "EXEC", "PUSH", "BOOTSTRAP"] as const)("a second %s names the first one's line", (keyword) => {
    const args = { IMAGE: [image], EXEC: [["a"]], PUSH: [], BOOTSTRAP: [{ distribution: "debian", release: "sid" }] }[keyword];
    const said: Said[] = keyword === "IMAGE" ? [] : [["IMAGE", image]];
    const first = said.length + 1;
    expect(problems("/srv", ...said, [keyword, ...args], [keyword, ...args])).toEqual([
      `${first + 1}: ${keyword} was already declared at /srv/build.ts:${first}`,
    ]);
  });

  test("all problems come together, in the order of lines", () => {
    const folder = tempFolder();
    expect(
      problems(
        folder,
        ["COPY", "/nothing"],
        ["PULL", image],
        ["WITH", { Boots: true }],
        ["IMAGE", image],
        ["RUN", "x"],
        ["IMAGE", image],
      ).map((text) => text.split(" ")[0]),
    ).toEqual(["1:", "2:", "3:", "5:", "6:"]);
  });

  test("a source that is not there is a problem, a dangling symlink is a source", () => {
    const folder = tempFolder();
    symlinkSync("/nowhere", `${folder}/link`);
    expect(problems(folder, ["IMAGE", image], ["COPY", "/link"])).toEqual([]);
    expect(problems(folder, ["IMAGE", image], ["CAST", "/gone"])).toEqual([`2: CAST: source ${folder}/gone is not there`]);
  });

  test("a source below a file is a problem, not a crash", () => {
    const folder = tempFolder();
    writeFiles(folder, { file: "" });
    expect(problems(folder, ["IMAGE", image], ["COPY", { source: "file/below", target: "/x" }])).toEqual([
      `2: COPY: source ${folder}/file/below is not there`,
    ]);
  });

  test("a source with a name that is too long is a problem, not a crash", () => {
    const folder = tempFolder();
    expect(problems(folder, ["IMAGE", image], ["COPY", `/${"x".repeat(300)}`])).toHaveLength(1);
  });

  test("PUSH to a URL that no archive can be written to", () => {
    expect(problems("/srv", ["IMAGE", "https://h/web.zip"], ["PUSH"])).toEqual([
      "1: IMAGE: https://h/web.zip names no archive that can be written",
    ]);
    expect(problems("/srv", ["IMAGE", "https://h/web.zip"])).toEqual([]);
  });

  test("BOOTSTRAP and PULL exclude each other", () => {
    expect(
      problems("/srv", ["IMAGE", image], ["BOOTSTRAP", { distribution: "debian", release: "sid" }], ["PULL", "https://h/a.tar.gz"]),
    ).toEqual(["2: BOOTSTRAP makes a bottom layer, so nothing can be pulled below it"]);
  });

  test("an image is not its own parent, and no parent is pulled twice, in whatever spelling", () => {
    expect(
      problems(
        "/srv",
        ["IMAGE", "file:///a.tar.gz"],
        ["PULL", "file://localhost/a.tar.gz"],
        ["PULL", "file:///b.tar.gz"],
        ["PULL", "file://localhost/b.tar.gz"],
      ),
    ).toEqual(["2: PULL: the image cannot be its own parent", "4: PULL: file://localhost/b.tar.gz is pulled twice"]);
  });
});

describe("showBuildPlan", () => {
  test("a plan is printed a line for each thing", () => {
    const folder = tempFolder();
    writeFiles(folder, { "etc/a": "a" });
    const plan = planBuild(
      script(
        folder,
        ["IMAGE", image],
        ["PULL", "https://h/a.tar.gz"],
        ["COPY", "/etc"],
        ["SH", "a\n  b"],
        ["WITH", { Quiet: true, Port: null }],
        ["EXEC", ["sh", "-c", "x"]],
        ["PUSH"],
      ),
    );
    expect(showBuildPlan(plan).split("\n")).toEqual([
      `build ${image}`,
      "  pull  https://h/a.tar.gz",
      "  work  COPY /etc → /etc",
      "  work  SH a b",
      "  with  Port removed",
      "  with  Quiet=yes",
      "  exec  sh -c x",
      `  push  ${image}`,
    ]);
  });

  test("an argument with spaces in it is told from two arguments", () => {
    const one = planBuild(script("/srv", ["IMAGE", image], ["RUN", ["a b"]], ["EXEC", ["c d"]]));
    const two = planBuild(script("/srv", ["IMAGE", image], ["RUN", ["a", "b"]], ["EXEC", ["c", "d"]]));
    expect(showBuildPlan(one).split("\n")[1]).not.toBe(showBuildPlan(two).split("\n")[1]);
    expect(showBuildPlan(one)).not.toMatch(/exec {2}c d$/m);
  });

  test("a value with a newline stays on its line", () => {
    const plan = planBuild(script("/srv", ["IMAGE", image], ["WITH", { Hostname: "a\n  push  https://evil/x.tar.gz" }]));
    expect(showBuildPlan(plan)).not.toMatch(/^ {2}push/m);
  });
});
