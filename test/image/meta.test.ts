import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ImageMeta, readMeta, writeMeta } from "../../src/image/meta.js";
import { catalog, type SettingName } from "../../src/settings/catalog.js";
import { renderSettings } from "../../src/settings/render.js";
import { anyText } from "../support/arbitrary.js";
import { ref } from "../support/archive.js";

const origin = "https://images.example.org/web.tar.zst";
const read = (text: string): ImageMeta => readMeta(text, origin);
/** Each error names the image and its file. */
const wrong = /^the image https:\/\/images\.example\.org\/web\.tar\.zst has a wrong nspawn-image\.yaml: ./;

const names = Object.keys(catalog) as SettingName[];
const url = fc.webUrl({ validSchemes: ["http", "https"] }).filter((url) => !new URL(url).pathname.endsWith("/"));
const digest = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 }).map((hex) => `sha256:${hex}`);

describe("writeMeta and readMeta", () => {
  test("what is written is read back, whatever is in the values", () => {
    const meta = fc.record({
      url: url,
      parents: fc.array(fc.record({ image: url.map(ref), digest: fc.option(digest, { nil: undefined }) }), { maxLength: 3 }),
      command: fc.option(fc.array(anyText, { minLength: 1, maxLength: 4 }), { nil: undefined }),
      settings: fc.array(
        fc.record({ name: fc.constantFrom(...names.filter((name) => name === "Environment" || name === "Hostname")), value: anyText }),
        { maxLength: 4 },
      ),
      removed: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(meta, (given) => {
        const settings = given.settings.map(({ name, value }) => ({ name, value: name === "Environment" ? `A=${value}` : value }));
        expect(read(writeMeta({ ...given, settings }))).toEqual({ ...given, settings });
      }),
      { numRuns: 1000 },
    );
  });

  test("the Python tool's four keys are written in its form", () => {
    const text = writeMeta({
      url: "file://localhost/srv/top.tar.gz",
      parents: [{ image: ref("file://localhost/srv/left.tar.gz"), digest: undefined }],
      command: ["/usr/bin/env", "sh", "-c", "echo top; sleep 600"],
      settings: [{ name: "Environment", value: "TOP=1" }],
      removed: [],
    });
    expect(text).toContain("image_url: file://localhost/srv/top.tar.gz\n");
    expect(text).toContain("overlay_url_list:\n  - file://localhost/srv/left.tar.gz\n");
    expect(text).toContain("profile_command:\n  - /usr/bin/env\n  - sh\n  - -c\n  - echo top; sleep 600\n");
    expect(text).toContain("profile_entry_list:\n  - Environment=TOP=1\n");
  });

  test("an image without a command says null, as the Python tool does", () => {
    expect(writeMeta({ url: origin, parents: [], command: undefined, settings: [], removed: [] })).toContain("profile_command: null\n");
  });
});

describe("images of the Python tool", () => {
  const fixture = (name: string): ImageMeta => {
    const path = new URL(`../fixtures/python-nspawn/${name}.tar.gz`, import.meta.url).pathname;
    return read(execFileSync("tar", ["-xzOf", path, "./nspawn-image.yaml"], { encoding: "utf8" }));
  };

  test("the top of the diamond", () => {
    expect(fixture("top")).toEqual({
      url: "file://localhost/srv/fix/top.tar.gz",
      parents: [
        { image: ref("file://localhost/srv/fix/left.tar.gz"), digest: undefined },
        { image: ref("file://localhost/srv/fix/right.tar.gz"), digest: undefined },
      ],
      command: ["/usr/bin/env", "sh", "-c", "echo top; sleep 600"],
      settings: [
        { name: "Environment", value: "TOP=1" },
        { name: "Hostname", value: "top" },
      ],
      removed: [],
    });
  });

  test("an image without a command, and settings that are booleans", () => {
    expect(fixture("left").command).toBeUndefined();
    expect(fixture("base").settings).toContainEqual({ name: "Register", value: "yes" });
  });

  test.each([
    ["Boot=true", "--boot"],
    ["Boot=1", "--boot"],
    ["KeepUnit=True", "--keep-unit"],
    ["ReadOnly=on", "--read-only"],
  ])("the boolean %s, as a .nspawn file may have it, is the option %s", (line, option) => {
    const settings = read(`profile_entry_list: ["${line}"]`).settings.map((entry) => ({ ...entry, origin }));
    expect(renderSettings(settings)).toEqual([option]);
  });

  test("a list on one line, as a .nspawn file may have it, becomes what systemd-nspawn takes", () => {
    const settings = read('profile_entry_list: ["Capability=CAP_NET_ADMIN CAP_SYS_PTRACE"]').settings.map((entry) => ({
      ...entry,
      origin,
    }));
    const argv = renderSettings(settings);
    expect(argv.join(",").replaceAll("--capability=", "").split(",")).toEqual(["CAP_NET_ADMIN", "CAP_SYS_PTRACE"]);
  });
});

describe("readMeta", () => {
  test("keys that nobody knows are left alone, missing ones are empty", () => {
    expect(read("future: [1, {a: b}]\n")).toEqual({ url: origin, parents: [], command: undefined, settings: [], removed: [] });
    expect(read("overlay_url_list:\nprofile_entry_list: null\nprofile_command: []\n")).toMatchObject({
      parents: [],
      settings: [],
      command: undefined,
    });
  });

  test("a line break in a value is part of the value", () => {
    const { settings } = read('profile_entry_list: ["Hostname=a\\n[Install]\\nWantedBy=x", "Environment=A=b\\nBind=/"]');
    expect(settings).toEqual([
      { name: "Hostname", value: "a\n[Install]\nWantedBy=x" },
      { name: "Environment", value: "A=b\nBind=/" },
    ]);
  });

  test.each([
    ["an unknown setting", "profile_entry_list: [Bnid=/a]"],
    ["a setting of another object", "profile_entry_list: [toString=1]"],
    ["a setting without a value", "profile_entry_list: [Boot]"],
    ["an unknown setting that is removed", "profile_removal_list: [Nope]"],
    ["numbers in a command", "profile_command: [1, 2]"],
    ["a command that is a text", "profile_command: /bin/sh"],
    ["NUL in a command", 'profile_command: ["a\\0b"]'],
    ["NUL in a setting", 'profile_entry_list: ["Hostname=a\\0b"]'],
    ["settings that are an object", "profile_entry_list: {Boot: yes}"],
    ["a parent that is no URL", "overlay_url_list: [debian]"],
    ["a parent with another scheme", 'overlay_url_list: ["ftp://h/a.tar.gz"]'],
    ["a parent with a login", 'overlay_url_list: ["https://a:b@h/a.tar.gz"]'],
    ["parents that are no texts", "overlay_url_list: [[a]]"],
    ["a wrong digest", 'overlay_url_list: ["https://h/a.tar.gz"]\noverlay_digest_list: [sha256:abc]'],
    ["a list", "- a\n- b\n"],
    ["a text", "hello"],
    ["nothing", ""],
    ["no YAML", "a: [\n"],
    ["a key twice", "image_url: a\nimage_url: b\n"],
    ["a tag", "profile_command: !!js/function 'x'\n"],
    ["keys that are no texts", "? [a]\n: b\n"],
  ])("%s is an error that names the image", (_, text) => {
    expect(() => read(text)).toThrow(wrong);
  });

  test("aliases do not grow into gigabytes", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    const started = performance.now();
    expect(() => read(`${lines.join("\n")}\nprofile_entry_list: *a11\n`)).toThrow(wrong);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test("what is nested deeply is an error, not a crash", () => {
    const depth = 200_000;
    expect(() => read(`profile_entry_list: ${"[".repeat(depth)}${"]".repeat(depth)}`)).toThrow(wrong);
    expect(() => read("- ".repeat(depth))).toThrow(wrong);
  });

  test("a file of more than a megabyte is refused", () => {
    expect(() => read(`image_url: "${"x".repeat(1 << 20)}"`)).toThrow(/larger than 1048576 bytes/);
  });

  test("many small values are read in time", () => {
    const text = `profile_entry_list:\n${"- Environment=A=1\n".repeat(50_000)}`;
    const started = performance.now();
    expect(read(text).settings).toHaveLength(50_000);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test("no text at all crashes it: it is read, or the image is named", () => {
    const yaml = fc.string({
      unit: fc.oneof(fc.constantFrom(..."[]{}:,-&*!|>'\"%@`#? \n\t"), fc.constantFrom("profile_entry_list", "image_url", "Boot=yes", "a")),
      maxLength: 30,
    });
    fc.assert(
      fc.property(yaml, (text) => {
        try {
          expect(read(text).parents).toEqual([]);
        } catch (error) {
          expect(String(error)).toMatch(/the image https:\/\/images\.example\.org\/web\.tar\.zst has a wrong/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("a key __proto__ changes nothing", () => {
    expect(read('__proto__: {profile_command: ["evil"]}\nimage_url: a\n').command).toBeUndefined();
  });

  test("more digests than parents are no harm, and a digest of null is unknown", () => {
    const { parents } = read('overlay_url_list: ["https://h/a.tar.gz"]\noverlay_digest_list: [null, null, x]\n');
    expect(parents).toEqual([{ image: ref("https://h/a.tar.gz"), digest: undefined }]);
  });
});
