import { symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ScriptError } from "../../src/base/errors.js";
import type { Call, Keyword } from "../../src/dsl/call.js";
import { planBuild } from "../../src/plan/build-plan.js";
import type { Script } from "../../src/script/load.js";
import { there, writeFiles } from "../support/files.js";
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
        { name: "Boot", value: "yes", at: { file: "/srv/build.ts", line: 2 } },
        { name: "Hostname", value: "a", at: { file: "/srv/build.ts", line: 3 } },
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
      `${first + 1}: ${keyword} was already declared on line ${first}`,
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

  test("null takes away what an earlier WITH gave, and a later value counts again", () => {
    const at = (line: number) => ({ file: "/srv/build.ts", line });
    const settings = (...withs: readonly object[]) =>
      planBuild(script("/srv", ["IMAGE", image], ...withs.map((given): Said => ["WITH", given]))).settings;
    expect(settings({ Environment: ["A=1"], Hostname: "a" }, { Environment: null })).toEqual({
      origin: image,
      removed: ["Environment"],
      entries: [{ name: "Hostname", value: "a", at: at(2) }],
    });
    expect(settings({ Environment: ["A=1"] }, { Environment: null }, { Environment: ["B=2"] })).toEqual({
      origin: image,
      removed: ["Environment"],
      entries: [{ name: "Environment", value: "B=2", at: at(4) }],
    });
    expect(settings({ Environment: null }, { Environment: ["B=2"] }, { Environment: ["C=3"] }).entries).toEqual([
      { name: "Environment", value: "B=2", at: at(3) },
      { name: "Environment", value: "C=3", at: at(4) },
    ]);
  });

  test("a setting's place is that of the last WITH that has it", () => {
    const plan = planBuild(script("/srv", ["IMAGE", image], ["WITH", { Boot: true, Port: 80 }], ["WITH", { Boot: false, Bind: null }]));
    const at = (line: number) => ({ file: "/srv/build.ts", line });
    expect(plan.places).toEqual(
      new Map([
        ["Boot", at(3)],
        ["Port", at(2)],
        ["Bind", at(3)],
      ]),
    );
  });

  test("FETCH is work in its place among the others, and needs no file", () => {
    const plan = planBuild(
      script("/srv", ["IMAGE", image], ["SH", "a"], ["FETCH", { url: "https://h/t.zip", path: "/opt" }], ["RUN", ["b"]]),
    );
    expect(plan.work).toMatchObject([{ kind: "sh" }, { kind: "fetch", source: "/opt", target: "/opt" }, { kind: "run" }]);
  });

  test("BOOTSTRAP keeps its step, for errors of it", () => {
    const spec = { distribution: "debian", release: "bookworm" };
    expect(planBuild(script("/srv", ["IMAGE", image], ["BOOTSTRAP", spec])).bootstrap).toEqual({
      spec,
      step: { kind: "bootstrap", at: { file: "/srv/build.ts", line: 2 }, bootstrap: spec },
    });
    expect(planBuild(script("/srv", ["IMAGE", image])).bootstrap).toBeUndefined();
  });
});

describe("problems inside a call of several lines", () => {
  /** The problems of a script on disk, whose calls begin where the keywords stand at the beginning of a line. */
  function told(source: string, ...said: readonly Said[]): readonly (readonly [string, string, string | undefined])[] {
    const folder = tempFolder();
    writeFiles(folder, { "build.ts": source });
    const path = `${folder}/build.ts`;
    const lines = source.split("\n");
    let from = 0;
    const calls = said.map(([keyword, ...args]): Call => {
      from = lines.findIndex((line, index) => index >= from && line.startsWith(`${keyword}(`)) + 1;
      return { keyword, args, at: { file: path, line: from } };
    });
    try {
      planBuild({ path, folder, kind: "build", calls });
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error;
      return error.problems.map(({ at, message, near }) => [there(lines[at.line - 1]).trim(), message, near]);
    }
    return [];
  }

  const source = `IMAGE("https://h/web.tar.zst");
BOOTSTRAP({
  distribution: "debain", // debain (or ubuntu)
  release: "bookworm",
  packages: [
    "a-b", // not "b c"
    "b c",
  ],
  variant: small,
  variants: "x",
});
WITH({
  Environment: { Boot: "no", Bnid: ")" },
  Boot: true,
  Bnid: \`
    Boot: )
  \`,
  ProcessTwo: [true,
    "yes"],
});
WITH({
  Hostname: name(
    "Port"),
  Port: "x",
});
`.replaceAll("\\`", "`");

  test("the line and the text are those of the very value, and they come in the order of lines", () => {
    expect(
      told(
        source,
        ["IMAGE", image],
        ["BOOTSTRAP", { distribution: "debain", release: "bookworm", packages: ["a-b", "b c"], variant: "tiny", variants: "x" }],
        ["WITH", { Environment: { Boot: "no", Bnid: ")" }, Boot: true, Bnid: "…", ProcessTwo: [true, "yes"] }],
        ["WITH", { Hostname: "web", Port: "x" }],
      ),
    ).toEqual([
      ['distribution: "debain", // debain (or ubuntu)', 'BOOTSTRAP: distribution: expected one of debian, ubuntu, got "debain"', "debain"],
      ['"b c",', expect.stringMatching(/^BOOTSTRAP: packages\[1\]: expected a name .*, got "b c"$/), "b c"],
      ["variant: small,", expect.stringMatching(/^BOOTSTRAP: variant: expected one of .*, got "tiny"$/), "variant"],
      ['variants: "x",', 'BOOTSTRAP: there is no field "variants"', "variants"],
      // Of two fields of one name, the first: nobody counts braces here.
      ['Environment: { Boot: "no", Bnid: ")" },', "WITH: there is no setting Bnid", "Bnid"],
      ["ProcessTwo: [true,", expect.stringMatching(/^WITH: ProcessTwo takes true or false/), "ProcessTwo"],
      ['Port: "x",', expect.stringMatching(/^WITH: Port takes /), "x"],
    ]);
  });

  test("settings that contradict each other are told at the line of the later one", () => {
    const script = `IMAGE("https://h/web.tar.zst");\nWITH({\n  Boot: true,\n  ProcessTwo: true,\n});\n`;
    expect(told(script, ["IMAGE", image], ["WITH", { Boot: true, ProcessTwo: true }])).toEqual([
      ["ProcessTwo: true,", "WITH: Boot and ProcessTwo exclude each other", "ProcessTwo"],
    ]);
  });
});
