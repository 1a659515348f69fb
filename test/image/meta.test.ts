import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ImageMeta } from "../../src/image/meta.js";
import { readMeta, writeMeta } from "../../src/image/meta-text.js";
import { imageRef } from "../../src/plan/image-ref.js";
import { catalog, type SettingName } from "../../src/settings/catalog.js";
import { renderSettings } from "../../src/settings/render.js";
import { anyText } from "../support/arbitrary.js";
import { ref } from "../support/archive.js";
import { tries } from "../support/tries.js";

const origin = "https://images.example.org/web.tar.zst";
const read = (text: string): ImageMeta => readMeta(text, origin);
/** Each error names the image and its file. */
const wrong = /^the image https:\/\/images\.example\.org\/web\.tar\.zst has a wrong nspawn-image\.yaml: ./;

const names = Object.keys(catalog) as SettingName[];
const url = fc.webUrl({ validSchemes: ["http", "https"] }).filter((url) => typeof imageRef(url) !== "string");
const digest = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 }).map((hex) => `sha256:${hex}`);

describe("writeMeta and readMeta", () => {
  test("what is written is read back, whatever is in the values", () => {
    const meta = fc.record({
      url: url,
      parents: fc.array(fc.record({ image: url.map(ref), digest: fc.option(digest, { nil: undefined }) }), { maxLength: 3 }),
      command: fc.option(fc.array(anyText, { minLength: 1, maxLength: 4 }), { nil: undefined }),
      settings: fc.array(
        fc.record({
          name: fc.constantFrom(...names.filter((name) => name === "Environment" || name === "SELinuxContext")),
          value: anyText,
        }),
        { maxLength: 4 },
      ),
      removed: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(meta, (given) => {
        const settings = given.settings.map(({ name, value }) => ({ name, value: name === "Environment" ? `A=${value}` : value }));
        expect(read(writeMeta({ ...given, settings }))).toEqual({ ...given, settings });
      }),
      { numRuns: tries(1000) },
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

  test("arguments with spaces are written so that they are read back as they were", () => {
    const settings = [{ name: "Parameters", value: '"a b"' } as const, { name: "Parameters", value: "c" } as const];
    const meta: ImageMeta = { url: origin, parents: [], command: undefined, settings, removed: [] };
    expect(read(writeMeta(meta)).settings).toEqual(settings);
    expect(read(`profile_entry_list: ["Parameters='a b' c"]`).settings).toEqual(settings);
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
    const { settings } = read('profile_entry_list: ["SELinuxContext=a\\n[Install]\\nWantedBy=x", "Environment=A=b\\nBind=/"]');
    expect(settings).toEqual([
      { name: "SELinuxContext", value: "a\n[Install]\nWantedBy=x" },
      { name: "Environment", value: "A=b\nBind=/" },
    ]);
  });

  test.each([
    ["an unknown setting", "profile_entry_list: [Bnid=/a]"],
    ["a setting of another object", "profile_entry_list: [toString=1]"],
    ["a setting without a value", "profile_entry_list: [Boot]"],
    ["a value that systemd-nspawn would refuse", 'profile_entry_list: ["Hostname=a\\n[Install]"]'],
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
    ["a tag for bytes", "profile_command: [!!binary aGVsbG8=]\n"],
    ["a tag for a set", "profile_command: !!set {a, b}\n"],
    ["an alias", "other: &a [x]\nprofile_command: *a\n"],
    ["an alias of itself", "profile_command: &a [*a]\n"],
    ["several documents", "image_url: a\n---\nimage_url: b\n"],
    ["a second document with the settings", "image_url: a\n...\n---\nprofile_command: [evil]\n"],
    ["booleans in a command", "profile_command: [true, false]\n"],
    ["null in a command", "profile_command: [~]\n"],
    ["a setting with a line break in its name", 'profile_entry_list: ["Boot\\nExecStartPre=/bin/evil"]\n'],
    ["a directive of a unit", 'profile_entry_list: ["ExecStartPre=/bin/evil"]\n'],
    ["a section of a unit", 'profile_entry_list: ["[Service]\\nBoot=yes"]\n'],
    ["a setting that is __proto__", "profile_entry_list: [__proto__=1]\n"],
    ["a URL with a line break", 'overlay_url_list: ["file:///a\\nExecStartPre=/bin/evil"]\n'],
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

  const levels = (depth: number): readonly (readonly [string, string])[] => [
    ["lists", `profile_entry_list: ${"[".repeat(depth)}${"]".repeat(depth)}`],
    ["lists in a key that nobody knows", `other: ${"[".repeat(depth)}${"]".repeat(depth)}\nimage_url: a`],
    ["lists that are not closed", `a: ${"[".repeat(depth)}`],
    ["maps", `a: ${"{a: ".repeat(depth)}`],
    ["items", "- ".repeat(depth)],
    ["keys", "? ".repeat(depth)],
    ["indented maps", Array.from({ length: Math.min(depth, 1000) }, (_, index) => `${" ".repeat(index)}a:`).join("\n")],
  ];

  // At 10 000 levels the stack may end in the middle of a regular expression, and then V8 ends the process.
  test.each([60, 800, 1000, 10_000, 50_000].flatMap((depth) => levels(depth).map(([kind, text]) => [depth, kind, text] as const)))(
    "%i levels of %s are an error, not a crash",
    (_, __, text) => {
      expect(() => read(text)).toThrow(/nspawn-image\.yaml: it is nested more than 50 levels deep$/);
    },
  );

  test("a few levels in a key that nobody knows are no harm", () => {
    expect(read(`other: ${"[".repeat(30)}${"]".repeat(30)}\nimage_url: a\n`).url).toBe("a");
  });

  test.each([
    ["keys", Array.from({ length: 80_000 }, (_, index) => `k${index}: 1`).join("\n")],
    ["entries", `profile_entry_list:\n${"- A=1\n".repeat(100_000)}`],
    ["mistakes", `a: [${",".repeat(100_000)}]`],
    ["aliases", `a: &a x\nb:\n${"- *a\n".repeat(100_000)}`],
    ["documents", "---\n".repeat(100_000)],
  ])("a hundred thousand %s are an error, soon", (_, text) => {
    const started = performance.now();
    expect(() => read(text)).toThrow(wrong);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("many keys are read in time, and a key that is there twice among them is found", () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1\n`).join("");
    const started = performance.now();
    expect(read(`${keys}image_url: a\n`).url).toBe("a");
    expect(performance.now() - started).toBeLessThan(3000);
    expect(() => read(`${keys}image_url: a\nk7: 2\n`)).toThrow(/it has the key "k7" twice$/);
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
      { numRuns: tries(1000) },
    );
  });

  test("a key __proto__ changes nothing", () => {
    expect(read('__proto__: {profile_command: ["evil"]}\nimage_url: a\n').command).toBeUndefined();
  });

  test("a merge key merges nothing", () => {
    expect(read("other: {profile_command: [evil]}\n<<: {profile_command: [evil]}\n").command).toBeUndefined();
  });

  test("words that are booleans in YAML 1.1 are texts, a byte order mark and line ends of Windows are no harm", () => {
    expect(read("%YAML 1.1\n---\nimage_url: a\n").url).toBe("a");
    expect(read("profile_command: [yes, no, on, off]\nprofile_entry_list: [Boot=yes, Register=Off]\n")).toMatchObject({
      command: ["yes", "no", "on", "off"],
      settings: [
        { name: "Boot", value: "yes" },
        { name: "Register", value: "no" },
      ],
    });
    expect(read("\ufeffimage_url: a\r\nprofile_command:\r\n- b\r\n")).toMatchObject({ url: "a", command: ["b"] });
  });

  test("more digests than parents are no harm, and a digest of null is unknown", () => {
    const { parents } = read('overlay_url_list: ["https://h/a.tar.gz"]\noverlay_digest_list: [null, null, x]\n');
    expect(parents).toEqual([{ image: ref("https://h/a.tar.gz"), digest: undefined }]);
  });
});
