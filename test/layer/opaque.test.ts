import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytePath, toBytes } from "../../src/base/byte-path.js";
import { LocalHost } from "../../src/host/local.js";
import { opaqueFolders, opaqueIn, setOpaque } from "../../src/layer/opaque.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

const host = new LocalHost();
const oddNames = [
  "plain",
  "two words",
  "a=b",
  'quote"',
  "back\\slash",
  "new\nline",
  "\\012",
  "tab\t",
  "# file: x",
  "-dash",
  "ünï",
  "😀",
  " lead",
  "trail ",
  "per%cent",
  "cr\r",
].map(toBytes);
const bytes = ["\xff\xfe", "a\x80b", "\x01\x7f"];

describe("setOpaque and opaqueFolders", () => {
  test("folders with any names are marked, found again, and only they", async () => {
    const layer = tempFolder();
    const marked = [...oddNames, ...bytes].flatMap((name) => [`sub/${name}`]);
    mkdirSync(join(layer, "sub"));
    for (const name of marked) {
      mkdirSync(bytePath(layer, name));
      mkdirSync(bytePath(layer, `${name}/inner`));
    }
    await setOpaque(host, layer, marked);
    const found = await opaqueFolders(host, [layer]);
    expect([...(found.get(layer) ?? [])].sort()).toEqual([...marked].sort());
  });

  test("the kernel's own view agrees", async () => {
    const layer = tempFolder();
    mkdirSync(join(layer, "a\nb"));
    await setOpaque(host, layer, ["a\nb"]);
    expect(sh(layer, `getfattr --only-values -n trusted.overlay.opaque "$1"`, "a\nb")).toBe("y");
  });

  test("marks of another value and other attributes are none", async () => {
    const layer = tempFolder();
    sh(
      layer,
      "mkdir a b c; setfattr -n trusted.overlay.opaque -v x a; setfattr -n user.overlay.opaque -v y b; setfattr -n trusted.overlay.opaque -v y c",
    );
    const found = await opaqueFolders(host, [layer]);
    expect([...(found.get(layer) ?? [])]).toEqual(["c"]);
  });

  test("the root itself can be marked", async () => {
    const layer = tempFolder();
    sh(layer, "setfattr -n trusted.overlay.opaque -v y .");
    expect([...((await opaqueFolders(host, [layer])).get(layer) ?? [])]).toEqual([""]);
  });

  test("layers are told apart, and one without marks has none", async () => {
    const [one, two] = [tempFolder(), tempFolder()];
    sh(one, "mkdir a; setfattr -n trusted.overlay.opaque -v y a");
    const found = await opaqueFolders(host, [one, two]);
    expect(found.get(one)?.size).toBe(1);
    expect(found.get(two)?.size).toBe(0);
  });

  test("symlinks are not followed out of a layer", async () => {
    const [layer, other] = [tempFolder(), tempFolder()];
    sh(other, "mkdir a; setfattr -n trusted.overlay.opaque -v y a");
    sh(layer, 'ln -s "$1" link', other);
    expect((await opaqueFolders(host, [layer])).get(layer)?.size).toBe(0);
  });

  test("no folders to mark is nothing to do", async () => {
    await expect(setOpaque(host, "/nowhere", [])).resolves.toBeUndefined();
  });
});

describe("opaqueIn", () => {
  test("escapes are undone, and other values are none", () => {
    const dump =
      '# file: etc/a\\012b\ntrusted.overlay.opaque="y"\n\n# file: ./x\ntrusted.overlay.opaque="y"\n\n# file: .\ntrusted.overlay.opaque="y"\n\n# file: no\ntrusted.overlay.opaque="n"\n';
    expect(opaqueIn(dump)).toEqual(["etc/a\nb", "./x", "."]);
  });

  test("what getfattr really prints for user attributes is understood", () => {
    const layer = tempFolder();
    for (const name of oddNames) {
      writeFileSync(bytePath(layer, name), "");
      sh(layer, 'setfattr -n user.mark -v y "./$1"', Buffer.from(name, "latin1").toString());
    }
    const dump = sh(layer, "getfattr -R -P -h -d -m '^user\\.mark$' . 2>/dev/null").replaceAll("user.mark", "trusted.overlay.opaque");
    expect([...opaqueIn(toBytes(dump))].sort()).toEqual([...oddNames].sort());
  });
});
