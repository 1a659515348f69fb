import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { checkSources, statOf } from "../../src/plan/source.js";
import type { WorkStep } from "../../src/plan/step.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

let folder: string;

beforeEach(() => {
  folder = tempFolder();
  writeFiles(folder, { file: "x", "etc/a": "x" });
  sh(folder, "ln -s /etc out; ln -s file link; ln -s etc inside; mkfifo pipe");
});

function problems(kind: "copy" | "cast", source: string): readonly string[] {
  const step = { kind, at: { file: "/build.ts", line: 7 }, source: join(folder, source), target: "/x", variables: {} } as WorkStep;
  return checkSources([step], folder).map(({ at, message }) => `${at.line}: ${message}`);
}

describe("checkSources", () => {
  test.each(["file", "etc", "etc/a", "", "inside/a", "link", "pipe"])("COPY of %j is fine", (source) => {
    expect(problems("copy", source)).toEqual([]);
  });

  test("what is not there is told with its line, below a file too", () => {
    expect(problems("copy", "none")).toEqual([`7: COPY: source ${folder}/none is not there`]);
    expect(problems("copy", "file/below")).toEqual([`7: COPY: source ${folder}/file/below is not there`]);
  });

  test("a symlink on the way must not lead out of the folder", () => {
    for (const kind of ["copy", "cast"] as const) {
      expect(problems(kind, "out/passwd")).toEqual([
        `7: ${kind.toUpperCase()}: source ${folder}/out/passwd leads out of the script's folder, through a symlink`,
      ]);
    }
  });

  test("a template is a file or a folder, no symlink and no pipe", () => {
    expect(problems("cast", "file")).toEqual([]);
    expect(problems("cast", "etc")).toEqual([]);
    expect(problems("cast", "link")).toEqual([`7: CAST: source ${folder}/link is a symlink`]);
    expect(problems("cast", "pipe")).toEqual([`7: CAST: source ${folder}/pipe is no file`]);
  });
});

test("statOf says nothing of what cannot be looked at", () => {
  expect(statOf(join(folder, "file"))?.isFile()).toBe(true);
  for (const path of ["none", "file/below", "n".repeat(300)]) expect(statOf(join(folder, path))).toBeUndefined();
});
