import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderCast } from "../../src/engine/cast.js";
import { LocalHost } from "../../src/host/local.js";
import type { StepOf } from "../../src/plan/step.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

function cast(folder: string, source: string, variables: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const scratch = join(folder, "scratch");
  mkdirSync(scratch, { recursive: true });
  const step: StepOf<"cast"> = {
    kind: "cast",
    at: { file: "/build.ts", line: 1 },
    source: join(folder, source),
    target: "/opt/x",
    variables,
  };
  return renderCast(new LocalHost(), step, folder, scratch);
}

describe("renderCast", () => {
  test("a file is rendered with the variables, source and target, and keeps its mode and time", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "readme.md": "{{ who }} {{ target }} {{ source }}\n" });
    sh(folder, "chmod 4750 readme.md; touch -d @1000000000 readme.md");
    const rendered = await cast(folder, "readme.md", { who: "<you>" });
    expect(readFileSync(rendered, "utf8")).toBe("<you> /opt/x /readme.md\n");
    expect(sh(folder, 'stat -c "%a %Y" "$1"', rendered)).toBe("4750 1000000000\n");
    expect(readFileSync(join(folder, "readme.md"), "utf8")).toContain("{{ who }}");
  });

  test("a folder is rendered, all of its files; symlinks are left alone", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "etc/a": "{{ x }}", "etc/sub/b b": "{{ x }}{{ x }}", outside: "{{ x }}" });
    sh(folder, "ln -s ../outside etc/link; chmod 711 etc/sub; touch -d @1000 etc/sub etc");
    const rendered = await cast(folder, "etc", { x: "1" });
    expect(readFileSync(join(rendered, "a"), "utf8")).toBe("1");
    expect(readFileSync(join(rendered, "sub/b b"), "utf8")).toBe("11");
    expect(readFileSync(join(folder, "outside"), "utf8")).toBe("{{ x }}");
    expect(sh(rendered, "readlink link; stat -c '%a %Y' sub")).toBe("../outside\n711 1000\n");
  });

  test("a mistake is told with the template's own path and line", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "etc/a": "ok\n{{ missing }}\n" });
    await expect(cast(folder, "etc")).rejects.toThrow(`${folder}/etc/a:2: `);
  });

  test("what is no text in UTF-8 is refused by name", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "etc/ok": "x" });
    writeFileSync(join(folder, "etc/bad"), Buffer.from([0xff, 0xfe]));
    await expect(cast(folder, "etc")).rejects.toThrow(`${folder}/etc/bad is no text in UTF-8`);
  });

  test("files whose names are no UTF-8 are rendered too", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "etc/ok": "{{ x }}" });
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/etc/`), Buffer.from([0xff])]), "{{ x }}");
    const rendered = await cast(folder, "etc", { x: "1" });
    expect(readFileSync(Buffer.concat([Buffer.from(`${rendered}/`), Buffer.from([0xff])]), "utf8")).toBe("1");
  });

  test("hard-linked templates are rendered once each", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "etc/a": "{{ '{{ x }}' }}" });
    sh(folder, "ln etc/a etc/b");
    const rendered = await cast(folder, "etc", { x: "1" });
    expect([readFileSync(join(rendered, "a"), "utf8"), readFileSync(join(rendered, "b"), "utf8")]).toEqual(["{{ x }}", "{{ x }}"]);
  });
});
