import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isLong, longTest } from "../support/tries.js";
import { Lab, namesIn, readArchive, runProgram, Sandbox } from "./support/build.js";

const lab = new Lab();
/** In a short run as many as their URLs fill two pages of memory, of which mount(2) takes one. */
const count = isLong ? 100 : 60;

/** A URL whose path has 150 characters. */
function longUrl(name: string): string {
  const start = join(lab.images, `chain-${name}-`);
  return `file://${start}${"x".repeat(150 - start.length - ".tar.gz".length)}.tar.gz`;
}

/** Packs a folder with metadata, as an image with the given parents. */
async function packImage(url: string, parents: readonly string[], files: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(lab.folder, "pack", url.slice(-60));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const list = parents.map((parent) => `- ${parent}\n`).join("");
  const meta = `image_url: ${url}\noverlay_url_list:${list === "" ? " []" : ""}\n${list}profile_command: null\nprofile_entry_list: []\n`;
  writeFileSync(join(folder, "nspawn-image.yaml"), meta);
  await runProgram(["tar", "-C", folder, "--owner=0", "--group=0", "-czf", url.slice("file://".length), "."]);
}

beforeAll(async () => {
  for (let i = 1; i <= count; i++) {
    const parent = i === 1 ? lab.busybox : longUrl(String(i - 1));
    await packImage(longUrl(String(i)), [parent], { [`chain/${i}`]: `${i}\n`, "chain/top": `${i}\n` });
  }
});
afterAll(() => lab.remove());

describe(`an image with ${count} ancestors, their URLs' paths 150 characters long`, () => {
  const target = lab.url("top.tar.zst");
  test("is built: its steps see the files of all, COPY and flattening too", async () => {
    const sandbox = await Sandbox.open();
    try {
      expect(longUrl("1").length - "file://".length).toBe(150);
      const ended = await lab.build(
        `IMAGE("${target}"); PULL("${longUrl(String(count))}"); SH("ls /chain | wc -l; cat /chain/top; cat /chain/1 /chain/50; rm /chain/7; rm -r /usr/bin/awk");
        COPY("/chain"); SH("ls /chain | wc -l; cat /chain/8"); PUSH();`,
        { files: { "chain/8": "copied\n" }, within: sandbox.within },
      );
      expect(ended.output).toEqual([String(count + 1), String(count), "1", "50", String(count), "copied"]);
      expect(await sandbox.leftovers()).toEqual([]);
    } finally {
      await sandbox.close();
    }
    const names = [".", "./chain", "./chain/7", "./chain/8", "./nspawn-image.yaml", "./usr", "./usr/bin", "./usr/bin/awk"];
    expect(await namesIn(lab.archive("top.tar.zst"))).toEqual(names);
    const whiteouts = (await readArchive(lab.archive("top.tar.zst"))).filter(({ type }) => type === "character").map(({ name }) => name);
    expect(whiteouts).toEqual(["./chain/7", "./usr/bin/awk"]);
  });

  test("is a parent itself", async () => {
    const ended = await lab.build(`IMAGE("${lab.url("x.tar.zst")}"); PULL("${target}"); SH("ls /chain | wc -l; test ! -e /usr/bin/awk");`);
    expect(ended.output).toEqual([String(count)]);
    expect(ended.stdout.split("\n").filter((line) => line.startsWith("have "))).toHaveLength(count + 1);
  });

  longTest("may name them all as its own parents, which lie in the order of PULL", async () => {
    const flat = Array.from({ length: 60 }, (_, i) => longUrl(`flat-${i}`));
    for (const [i, url] of flat.entries()) await packImage(url, [], { "flat/who": `${i}\n`, [`flat/${i}`]: "" });
    const pulls = [lab.busybox, ...flat].map((url) => `PULL("${url}");`).join("\n");
    const ended = await lab.build(`IMAGE("${lab.url("x.tar.zst")}");\n${pulls}\nSH("cat /flat/who; ls /flat | wc -l");`);
    expect(ended.output).toEqual(["59", "61"]);
  });
});

test("ancestors that are each other's ancestors are an error that names them", async () => {
  const [one, two] = [longUrl("one"), longUrl("two")];
  await packImage(one, [two], {});
  await packImage(two, [one], {});
  const ended = await lab.run(`IMAGE("${lab.url("x.tar.zst")}"); PULL("${one}"); RUN(["true"]);`);
  expect(ended.code, ended.stderr).toBe(1);
  expect(ended.stderr).toContain(one);
  expect(ended.stderr).toContain(two);
});
