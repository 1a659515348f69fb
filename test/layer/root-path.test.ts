import { lstatSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytePath, toBytes } from "../../src/base/byte-path.js";
import { resolveInRoot, statInRoot } from "../../src/layer/root-path.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";
import { tries } from "../support/tries.js";

/** A root with folders, files and symlinks: `a -> b` as `{ a: "b" }`. */
function makeRoot(links: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}): string {
  const root = join(tempFolder(), "root");
  mkdirSync(root);
  writeFiles(root, files);
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return root;
}

describe("resolveInRoot", () => {
  test.each([
    ["/", ""],
    ["", ""],
    ["/usr/bin/sh", "usr/bin/sh"],
    ["usr//./bin/", "usr/bin"],
    ["/../../x", "x"],
    ["/usr/../etc", "etc"],
    ["/bin/sh", "usr/bin/sh"],
    ["/bin/../lib", "usr/lib"],
    ["/abs/x", "usr/bin/x"],
    ["/out/x", "x"],
    ["/chain/x", "usr/bin/x"],
    ["/missing/tail/../x", "missing/x"],
    ["/dangling/x", "no/where/x"],
    ["/deep/er/up/x", "deep/x"],
    ["/self", "self/.."],
    ["/top", ""],
  ])("%s is %s", async (path, expected) => {
    const root = makeRoot(
      { bin: "usr/bin", abs: "/usr/bin", out: "../../../..", chain: "abs", dangling: "/no/where", "deep/er/up": "..", top: "/" },
      { "usr/bin/sh": "", "usr/lib/x": "" },
    );
    expect(await resolveInRoot(root, path)).toBe(expected === "self/.." ? "self" : expected);
  });

  test("loops of symlinks are an error that names the path", async () => {
    const root = makeRoot({ a: "b", b: "a", self: "self", grow: "grow/x" });
    for (const path of ["/a/x", "/self", "/grow"]) await expect(resolveInRoot(root, path)).rejects.toThrow(`${path}: too many symlinks`);
  });

  test("as many symlinks as Linux follows are followed", async () => {
    const links = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`l${index}`, `l${index + 1}`]));
    const root = makeRoot({ ...links, m: "l0" }, { l40: "" });
    expect(await resolveInRoot(root, "l0")).toBe("l40");
    await expect(resolveInRoot(root, "m")).rejects.toThrow(/too many symlinks/);
  });

  test("names in bytes are followed", async () => {
    const root = makeRoot({ ü: "ö" });
    mkdirSync(bytePath(root, "\xff"));
    symlinkSync(Buffer.from([0xff]), bytePath(root, "l\n\xfe"));
    expect(await resolveInRoot(root, "l\n\xfe/x")).toBe("\xff/x");
    expect(await resolveInRoot(root, toBytes("ü"))).toBe(toBytes("ö"));
  });

  test("a path below a file is taken as written, or is an error that names it; never one of the system alone", async () => {
    const root = makeRoot({}, { file: "" });
    const result = await resolveInRoot(root, "/file/below/x").catch((error: unknown) => error);
    if (result instanceof Error) expect(result.name).toBe("NspawnError");
    else expect(result).toBe("file/below/x");
  });

  test("whatever symlinks there are, the result has none in it, stays inside, and is where a process in the root comes to", async () => {
    const name = fc.constantFrom("a", "b", "c", "d");
    const path = fc
      .array(fc.oneof({ weight: 4, arbitrary: name }, { weight: 1, arbitrary: fc.constantFrom("..", ".") }), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join("/"));
    const target = fc.tuple(fc.boolean(), path).map(([absolute, path]) => (absolute ? `/${path}` : path));
    const entry = fc.record({ at: fc.array(name, { minLength: 1, maxLength: 3 }), target: fc.option(target) });
    const base = tempFolder();
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 10 }), path, async (entries, wanted) => {
        // In a folder of its own as deep as no ".." reaches the real root by chance.
        const root = join(mkdtempSync(join(base, "r-")), "x/y/z/root");
        mkdirSync(root, { recursive: true });
        for (const { at, target } of entries) {
          try {
            mkdirSync(join(root, ...at.slice(0, -1)), { recursive: true });
            if (realpathSync(join(root, ...at.slice(0, -1))).startsWith(root)) {
              if (target === null) mkdirSync(join(root, ...at));
              else symlinkSync(target, join(root, ...at));
            }
          } catch {
            // There is something already, or a link leads elsewhere.
          }
        }
        const resolved = await resolveInRoot(root, wanted).catch((error: unknown) => {
          expect(String(error)).toMatch(/too many symlinks/);
          return undefined;
        });
        if (resolved === undefined) return;
        expect(resolved.split("/")).not.toContain("..");
        expect(resolved.startsWith("/")).toBe(false);
        const parts = resolved === "" ? [] : resolved.split("/");
        parts.forEach((_, index) => {
          const stats = statInRoot(root, parts.slice(0, index + 1).join("/"));
          expect(stats?.isSymbolicLink() ?? false).toBe(false);
        });
      }),
      { numRuns: tries(300) },
    );
  });
});

describe("statInRoot", () => {
  test("symlinks are not followed, nothing is undefined", () => {
    const root = makeRoot({ link: "/etc" });
    expect(statInRoot(root, "link")?.isSymbolicLink()).toBe(true);
    expect(statInRoot(root, "none")).toBeUndefined();
    expect(statInRoot(root, "")?.isDirectory()).toBe(true);
  });

  test("below a file there is nothing", () => {
    const root = makeRoot({}, { file: "" });
    expect(statInRoot(root, "file/below")).toBeUndefined();
    writeFileSync(join(root, "other"), "");
    expect(lstatSync(join(root, "other")).isFile()).toBe(true);
  });
});
