import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { noMeta } from "../../src/image/meta.js";
import type { StoredImage } from "../../src/image/store.js";
import { type Machine, renderUnit } from "../../src/machine/unit.js";
import type { SettingName } from "../../src/settings/catalog.js";
import type { Setting } from "../../src/settings/merge.js";
import { unitText } from "../support/arbitrary.js";
import { there } from "../support/files.js";
import { longTest, sample, tries } from "../support/tries.js";
import { bootHost, type DisposableHost } from "./support/host.ts";

/**
 * Units as setup writes them, started by systemd itself, with stubs in place of systemd-nspawn and of all other programs in them.
 * A stub notes its arguments and its working directory, byte for byte as the kernel has them.
 */
const stub = `#!/bin/sh
note="$STUB_NOTES.\${0##*/}.$$"
cat /proc/$$/cmdline > "$note"
readlink -n /proc/$$/cwd > "$note.cwd"
`;
const programs = ["systemd-nspawn", "mkdir", "touch", "sh", "tar", "install", "mount", "umount", "rm"];

let host: DisposableHost;
/** A folder that is the same here and in the host. */
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync("/var/tmp/nspawn-quoting-");
  for (const name of ["bin", "notes", "units"]) mkdirSync(join(folder, name));
  for (const program of programs) {
    writeFileSync(join(folder, "bin", program), stub);
    chmodSync(join(folder, "bin", program), 0o755);
  }
  const release = process.env.NSPAWN_TEST_RELEASE;
  host = await bootHost({ name: "nspawn-quoting", bind: [folder], ...(release === undefined ? {} : { release }) });
});
afterAll(async () => {
  await host?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function image(layersFolder: string, url: string, id: string): StoredImage {
  const root = { mode: 0o755, uid: 0, gid: 0, attributes: true };
  const layer = { id, folder: join(layersFolder, id), digest: `sha256:${id.padEnd(64, "0")}`, bytes: 1, root };
  mkdirSync(layer.folder, { recursive: true });
  return { image: { written: url, url, scheme: "https" }, layer, meta: noMeta(url) };
}

/** What busctl(1) prints. */
type Reply<T> = { readonly data: T };

type Fields = Partial<Pick<Machine, "settings" | "command" | "script">> & { readonly url?: string; readonly store?: string };

/** A machine that notes what it gets, and ends. */
function machine(name: string, { url = "https://images.example.org/web.tar.zst", store = "store", ...fields }: Fields): Machine {
  const layersFolder = join(folder, store, "extract");
  const runtime = join(folder, store, "runtime", name);
  // The stub ends at once, and its end is what is waited for.
  const serviceConf = ["Type=oneshot", "RestartForceExitStatus=", `Environment=STUB_NOTES=${folder}/notes/${name}`];
  return {
    script: "/srv/web/setup.ts",
    spec: { name, template: undefined, unitConf: [], serviceConf, installConf: [], state: "volatile" },
    chain: [image(layersFolder, url, "1111111111111111"), image(layersFolder, url, "2222222222222222")],
    settings: [],
    command: undefined,
    paths: {
      service: `${name}.service`,
      unit: `/run/systemd/system/${name}.service`,
      root: join(folder, store, "machines", name),
      runtime,
      generations: "/unused",
      runtimes: runtime,
      upper: join(runtime, "upper"),
      work: join(runtime, "work"),
    },
    layersFolder,
    config: { template: undefined, useBindStub: true, overlayfsMountOpts: [] },
    systemd: undefined,
    ...fields,
  };
}

/** Writes the unit as setup would on a host whose programs are the stubs. */
function writeUnit(machine: Machine): void {
  const { PATH } = process.env;
  process.env.PATH = join(folder, "bin");
  try {
    writeFileSync(join(folder, "units", machine.paths.service), renderUnit(machine).text);
  } finally {
    process.env.PATH = PATH;
  }
}

async function start(names: readonly string[]): Promise<void> {
  await host.shell(`cp ${folder}/units/*.service /run/systemd/system/; systemctl daemon-reload`);
  const { code, stderr } = await host.run(["systemctl", "start", ...names.map((name) => `${name}.service`)]);
  expect(code, `${stderr}${(await host.run(["journalctl", "-b", "-o", "cat", "-n", "50", "_PID=1"])).stdout}`).toBe(0);
}

/** What each start of a program got, without the shell of the stub and the program itself. */
function notes(name: string, program: string): readonly (readonly string[])[] {
  return readdirSync(join(folder, "notes"))
    .filter((file) => file.startsWith(`${name}.${program}.`) && !file.endsWith(".cwd"))
    .map((file) => {
      const bytes = readFileSync(join(folder, "notes", file));
      const argv = bytes.toString().split("\0");
      expect(Buffer.from(argv.join("\0")).equals(bytes), "arguments are UTF-8").toBe(true);
      expect(argv.slice(0, 2)).toEqual(["/bin/sh", join(folder, "bin", program)]);
      expect(argv.at(-1)).toBe("");
      return argv.slice(2, -1);
    });
}

const nasty: readonly string[] = [
  ...[
    "",
    " ",
    "  two  spaces  ",
    "\t",
    "\n",
    "\r\n",
    "\\",
    "\\\\",
    '"',
    "'",
    "''",
    '"quoted"',
    "a'b",
    '\\"',
    "\\n",
    "\\x41",
    "\\\n",
    "\\u0041",
  ],
  ...[
    "%",
    "%%",
    "%%%",
    "%i",
    "%n",
    "%h",
    "100%",
    "%{",
    "$",
    "$$",
    "$$$",
    "$A",
    "${A}",
    "$${A}",
    "${STUB_NOTES}",
    "$STUB_NOTES",
    "${",
    "$}",
    "$(id)",
    "`id`",
  ],
  ...[
    "-",
    "--",
    "-x",
    "--boot",
    "@",
    "@/bin/sh",
    ":",
    ":x",
    "+",
    "!",
    "!!",
    "|",
    ";",
    ";;",
    "; ",
    "a;b",
    "#",
    "# x",
    "{",
    "{}",
    "{{ name }}",
    "{% raw %}",
    "~",
    "~root",
  ],
  ...[
    "*",
    "?",
    "[a-z]",
    "&",
    "&&",
    "<",
    ">",
    "=",
    "a=b",
    "ExecStartPre=/bin/false",
    "\nExecStartPre=/bin/false",
    "[Service]",
    "\n[Install]\nWantedBy=x\n",
  ],
  ...[
    "é",
    "日本語",
    "😀",
    "👩‍👩‍👧‍👦",
    "a\u0301",
    "\u0085",
    "\u00a0",
    "\u2028",
    "\u2029",
    "\u200b",
    "\u202e",
    "\ufeff",
    "\ufffd",
    "\u007f",
    "\u0080",
    "\u009f",
    "\u{10fffd}",
  ],
  ...Array.from({ length: 31 }, (_, code) => String.fromCharCode(code + 1)),
  ...Array.from({ length: 31 }, (_, code) => `a${String.fromCharCode(code + 1)}7`),
  ...Array.from({ length: 95 }, (_, code) => String.fromCharCode(code + 32)),
  ...["x", " ", "\\", '"', "%", "$", "\n", "é", "😀", '\'; $(x) "%i" \\\n'].map((text) => text.repeat(4000)),
];

const punctuation = fc.string({ unit: fc.constantFrom(..."!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\x01\x1b\x7fab01é😀"), maxLength: 40 });
const long = fc
  .tuple(punctuation, fc.integer({ min: 50, max: 500 }))
  .map(([text, times]) => [...text.repeat(times)].slice(0, 8000).join(""));
const chance = fc.oneof({ arbitrary: unitText, weight: 6 }, { arbitrary: punctuation, weight: 6 }, { arbitrary: long, weight: 1 });

/** Settings that take free text, each with the option of systemd-nspawn(1) that the text has to come out in. */
const free: readonly (readonly [SettingName, (text: string) => { readonly value: string; readonly option: string }])[] = [
  ["Environment", (text) => ({ value: `A=${text}`, option: `--setenv=A=${text}` })],
  ["SetCredential", (text) => ({ value: `id:${text}`, option: `--set-credential=id:${text}` })],
  ["TemporaryFileSystem", (text) => ({ value: `/${text}`, option: `--tmpfs=/${text}` })],
  ["Inaccessible", (text) => ({ value: `/${text}`, option: `--inaccessible=/${text}` })],
  ["Hostname", (text) => ({ value: text, option: `--hostname=${text}` })],
  ["WorkingDirectory", (text) => ({ value: `/${text}`, option: `--chdir=/${text}` })],
  ["Bind", (text) => ({ value: `/srv/${text}`, option: `--bind=/srv/${text}` })],
  ["BindReadOnly", (text) => ({ value: `/srv/${text}`, option: `--bind-ro=/srv/${text}` })],
];

const setting = ([name, form]: (typeof free)[number], text: string, origin = "/srv/web/setup.ts"): Setting => ({
  name,
  value: form(text).value,
  origin,
});

describe("arguments and settings of any text arrive byte for byte", () => {
  const perUnit = 40;
  const seed = Number(process.env.NSPAWN_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

  longTest(`the seed is ${seed} (NSPAWN_TEST_SEED)`, async () => {
    const texts = [...nasty, ...fc.sample(chance, { numRuns: tries(2400), seed })];
    const groups = Array.from({ length: Math.ceil(texts.length / perUnit) }, (_, index) =>
      texts.slice(index * perUnit, (index + 1) * perUnit),
    );
    const units = groups.map((group, index) => {
      // Each text is an argument in one unit, and the value of a setting in the next.
      const values = there(groups[(index + 1) % groups.length]);
      const settings = values.map((text, at) => ({ row: there(free[(at + index) % free.length]), text }));
      return { name: `q-${index}`, argv: ["/bin/program", ...group], settings };
    });
    for (const { name, argv, settings } of units)
      writeUnit(
        machine(name, { settings: settings.map(({ row, text }) => setting(row, text)), command: { argv, origin: "/srv/web/setup.ts" } }),
      );
    await start(units.map(({ name }) => name));
    let seen = 0;
    for (const { name, argv, settings } of units) {
      const started = notes(name, "systemd-nspawn");
      expect(started, `starts of ${name}, seed ${seed}`).toHaveLength(1);
      const options = settings.map(({ row, text }) => row[1](text).option);
      const machineOptions = ["--settings=no", "--keep-unit", `--machine=${name}`, `--directory=${join(folder, "store/machines", name)}`];
      expect(started[0], `unit ${name}, seed ${seed}`).toEqual([...machineOptions, ...options, "--", ...argv]);
      // Sources of binds are made by a shell that gets the path as an argument.
      const paths = settings.filter(({ row }) => row[0].startsWith("Bind")).map(({ text }) => `/srv/${text}`);
      const made = [...notes(name, "mkdir"), ...notes(name, "sh")].map((line) => line.at(-1));
      for (const path of paths) if (!/[:\\]/.test(path)) expect(made, `unit ${name}, seed ${seed}`).toContain(path);
      seen += group(argv) + options.length;
    }
    expect(seen).toBeGreaterThan(2 * tries(2400));
    // Nothing in a unit keeps systemd from telling of it.
    expect(await host.must(["systemctl", "show", "--property=ExecStart", ...units.map(({ name }) => `${name}.service`)])).toContain(
      "argv[]=",
    );
  });
});

/** Texts among the arguments: all but the program. */
function group(argv: readonly string[]): number {
  return argv.length - 1;
}

describe("what a unit cannot hold is refused", () => {
  longTest.each([
    ["NUL", "a\0b", /NUL/],
    ["half of a surrogate pair", "a\ud800b", /half of a character/],
    ["the other half", "\udc00", /half of a character/],
    // systemd ignores a line with one of these, and cannot tell of a unit where it is escaped.
    ["U+FFFE", "a\ufffe", /U\+FFFE/],
    ["U+FDD0", "\ufdd0b", /U\+FDD0/],
    ["U+10FFFF", "\u{10ffff}", /U\+10FFFF/],
  ])("%s", (_, text, message) => {
    expect(() => writeUnit(machine("q-wrong", { command: { argv: ["/bin/program", text], origin: "x" } }))).toThrow(message);
    for (const row of free) expect(() => writeUnit(machine("q-wrong", { settings: [setting(row, text)] })), row[0]).toThrow(message);
    expect(readdirSync(join(folder, "units"))).not.toContain("q-wrong.service");
  });
});

describe("folders with odd names", () => {
  /** RequiresMountsFor= as systemd understood it. */
  async function mountsOf(name: string): Promise<readonly string[]> {
    const manager = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"];
    const call = JSON.parse(await host.must(["busctl", "--json=short", "call", ...manager, "LoadUnit", "s", `${name}.service`])) as Reply<
      [string]
    >;
    const unit = ["org.freedesktop.systemd1", call.data[0], "org.freedesktop.systemd1.Unit", "RequiresMountsFor"];
    return (JSON.parse(await host.must(["busctl", "--json=short", "get-property", ...unit])) as Reply<string[]>).data;
  }

  longTest.each(
    sample([
      "with space",
      "100%",
      "%h",
      "it's",
      'say "hi"',
      "ünïcode 日本",
      "semi;colon",
      "#hash",
      "$HOME",
      "${HOME}",
      "back\\slash",
      "com,ma:colon",
    ]),
  )("a store in a folder %j", async (odd) => {
    const name = `odd-${Buffer.from(odd).toString("hex").slice(0, 40)}`;
    const store = `stores/${odd}`;
    writeUnit(machine(name, { store, command: { argv: ["/bin/program"], origin: "x" } }));
    await start([name]);
    expect(notes(name, "systemd-nspawn")[0]).toContain(`--directory=${join(folder, store, "machines", name)}`);
    const [cwd] = readdirSync(join(folder, "notes")).filter((file) => file.startsWith(`${name}.systemd-nspawn.`) && file.endsWith(".cwd"));
    expect(readFileSync(join(folder, "notes", there(cwd)), "utf8")).toBe(join(folder, store, "extract"));
    expect(notes(name, "install")[0]?.at(-1)).toBe(join(folder, store, "runtime", name, "upper"));
    const mounts = await mountsOf(name);
    expect(mounts).toEqual(expect.arrayContaining([join(folder, store, "machines", name), join(folder, store, "extract")]));
    for (const path of mounts.filter((path) => path.startsWith(folder))) expect(path.startsWith(join(folder, store)), path).toBe(true);
  });
});

describe("comments stay comments", () => {
  /** Properties of a unit but for its arguments and what is of one run; words in order, since those of a list may stand in any. */
  async function properties(name: string): Promise<readonly string[]> {
    const text = await host.must(["systemctl", "show", "--all", `${name}.service`]);
    const properties = [...text.matchAll(/^([A-Z][A-Za-z]+)=/gm)].map(([, property]) => property ?? "");
    const stable = properties.filter((property) => !/^(ExecStart|ExecStartEx|InvocationID|.*Timestamp.*)$/.test(property));
    expect(stable.length).toBeGreaterThan(200);
    const shown = await host.must(["systemctl", "show", "--all", ...stable.map((property) => `--property=${property}`), `${name}.service`]);
    return shown.split("\n").map((line) => line.replaceAll(name, "NAME").split(/[ =]/).sort().join(" "));
  }

  let hostiles = 0;
  const directive = "x\ufffe\nExecStartPre=/bin/touch /hacked\n[Unit]\r\nWants=hacked.service\u2028After=hacked.service\n";

  longTest.each([
    ["an image's URL", { url: `https://images.example.org/a?${directive}` }],
    ["the path of the script", { script: `/srv/${directive}/setup.ts` }],
    ["the origin of the command", { command: { argv: ["/bin/program"], origin: directive } }],
    ["the origin of a setting", { settings: [setting(there(free[0]), "1", `${directive}\\`)] }],
    ["the value of a setting", { settings: [setting(there(free[0]), directive.replace("\ufffe", ""))] }],
    ["a URL that ends in a backslash", { url: "https://images.example.org/a\\" }],
  ] satisfies readonly (readonly [string, Fields])[])("%s adds nothing to the unit", async (_, fields) => {
    const plain = machine("c-plain", { command: { argv: ["/bin/program"], origin: "x" } });
    // A unit that never ran, as the plain one.
    const name = `c-hostile-${++hostiles}`;
    const hostile = machine(name, { command: { argv: ["/bin/program"], origin: "x" }, ...fields });
    for (const unit of [plain, hostile]) writeUnit(unit);
    await host.shell(`cp ${folder}/units/c-*.service /run/systemd/system/; systemctl daemon-reload`);
    expect(await properties(name)).toEqual(await properties("c-plain"));
    expect(await host.must(["systemctl", "show", "--value", "--property=LoadState", `${name}.service`])).toBe("loaded\n");
    await start([name]);
    expect(await host.run(["test", "-e", "/hacked"])).toMatchObject({ code: 1 });
  });
});
