import { stripVTControlCharacters, styleText } from "node:util";
import { describe, expect, test } from "vitest";
import { NspawnError, ProblemsError, ScriptError } from "../../src/base/errors.js";
import { shownBuildPlan } from "../../src/cli/plan/build-plan.js";
import { section } from "../../src/cli/plan/plan.js";
import { shownSetupPlan } from "../../src/cli/plan/setup-plan.js";
import { unitDiff } from "../../src/cli/plan/unit-diff.js";
import type { Paint } from "../../src/cli/style.js";
import type { BuildPreview } from "../../src/engine/preview/build.js";
import type { SetupPreview, UnitPreview } from "../../src/engine/preview/setup.js";
import type { ImagePreview } from "../../src/image/preview.js";
import type { Settled } from "../../src/machine/settle.js";
import type { WorkStep } from "../../src/plan/step.js";
import { ref } from "../support/archive.js";

const plain: Paint = (_style, text) => text;
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false });

const script = "/srv/web/setup.ts";
const at = (line: number, file = script) => ({ file, line });
const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
const url = (name: string): string => `https://images.example.org/${name}.tar.zst`;
const root = { mode: 0o755, uid: 0, gid: 0, attributes: false };
const layer = { id: "0123456789abcdef", folder: "/var/lib/nspawn/extract/0123456789abcdef", digest, bytes: 1_500_000, root };
const meta = { url: "", parents: [{ image: ref(url("base")), digest: undefined }], command: undefined, settings: [], removed: [] };

const images: readonly ImagePreview[] = [
  { image: ref(url("web")), state: "new", stored: undefined, known: meta },
  { image: ref(url("base")), state: "stored", stored: layer, known: { ...meta, parents: [] } },
  { image: ref(url("old")), state: "unknown", trouble: "the server is gone", stored: layer, known: { ...meta, parents: [] } },
  { image: ref(url("gone")), state: "unknown", trouble: "no such host", stored: undefined, known: undefined, at: at(2) },
];

const imageLines = [
  `  ${url("web")}   will be pulled`,
  `  ${url("base")}  in the store: sha256:0123456789ab 1.5 MB`,
  `  ${url("old")}   the server is gone; in the store: sha256:0123456789ab 1.5 MB`,
  `  ${url("gone")}  cannot be had: no such host`,
];

const imageFields = [
  { url: url("web"), state: "new", digest: undefined, bytes: undefined, layer: undefined, parents: [url("base")], trouble: undefined },
  { url: url("base"), state: "stored", digest, bytes: 1_500_000, layer: layer.id, parents: [], trouble: undefined },
  { url: url("old"), state: "unknown", digest, bytes: 1_500_000, layer: layer.id, parents: [], trouble: "the server is gone" },
  {
    url: url("gone"),
    state: "unknown",
    digest: undefined,
    bytes: undefined,
    layer: undefined,
    parents: undefined,
    trouble: "no such host",
  },
];

/** Sections by their headings: `steps` → its lines, without the space at their beginning. */
function sections(lines: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {};
  for (const line of lines) {
    if (line.startsWith("  ")) Object.values(found).at(-1)?.push(line.trim());
    else found[line] = [];
  }
  return found;
}

describe("a build", () => {
  const file = "/srv/web/build.ts";
  const preview: BuildPreview = {
    plan: {
      script: file,
      folder: "/srv/web",
      image: ref(url("web")),
      parents: [],
      bootstrap: undefined,
      settings: {
        origin: url("web"),
        removed: ["Port"],
        entries: [
          { name: "Boot", value: "yes", at: at(8, file) },
          { name: "Hostname", value: "a\nb" },
        ],
      },
      places: new Map([
        ["Port", at(7, file)],
        ["Boot", at(8, file)],
        ["Environment", at(9, file)],
      ]),
      command: ["sh", "-c", "a b"],
      work: [
        { kind: "copy", at: at(3, file), source: "/srv/web/etc", target: "/etc" },
        { kind: "cast", at: at(4, file), source: "/srv/web/readme.md", target: "/root/readme.md", variables: { password: "secret" } },
        { kind: "fetch", at: at(5, file), archive: ref("https://h/t.tar.xz"), source: "/t", target: "/opt", digest: undefined },
        { kind: "run", at: at(6, file), argv: ["a b", "c"] },
        { kind: "sh", at: at(10, file), script: "apt-get update &&\n  apt-get install nginx" },
      ],
      push: true,
    },
    images,
    bootstrapCached: undefined,
    environment: [
      { name: "WorkingDirectory", value: "/srv", origin: url("base") },
      { name: "Environment", value: "A=1", origin: url("web"), at: at(9, file) },
    ],
  };

  test("for people: what lies below, steps with their lines, settings with their origins", () => {
    expect(shownBuildPlan(preview).lines(plain)).toEqual(
      [
        `build ${url("web")}  ${file}`,
        "layers below it, the top one first",
        ...imageLines,
        "steps",
        `  1  COPY /etc → /etc                                  ${file}:3`,
        `  2  CAST /readme.md → /root/readme.md                 ${file}:4`,
        `  3  FETCH https://h/t.tar.xz /t → /opt                ${file}:5`,
        `  4  RUN 'a b' c                                       ${file}:6`,
        `  5  SH apt-get update && apt-get install nginx        ${file}:10`,
        "environment of RUN and SH",
        `  WorkingDirectory=/srv  ${url("base")}`,
        `  A=1                    ${file}:9`,
        "settings of the image",
        `  Port is not inherited  ${file}:7`,
        `  Boot=yes               ${file}:8`,
        `  Hostname=a\\nb          ${url("web")}`,
        "command of the image",
        "  sh -c 'a b'",
        "push",
        `  ${url("web")}`,
      ].map((line) => (/^ {2}\d {2}/.test(line) ? expect.stringMatching(spaced(line)) : line)),
    );
  });

  test("for programs: the same as fields, all of JSON", () => {
    const { fields } = shownBuildPlan(preview);
    expect(fields).toMatchObject({
      script: file,
      image: url("web"),
      images: imageFields,
      environment: [
        { name: "WorkingDirectory", value: "/srv", origin: url("base") },
        { name: "Environment", value: "A=1", origin: `${file}:9` },
      ],
      settings: [
        { name: "Boot", value: "yes", origin: `${file}:8` },
        { name: "Hostname", value: "a\nb", origin: url("web") },
      ],
      removed: ["Port"],
      command: ["sh", "-c", "a b"],
      push: true,
    });
    expect((fields.steps as readonly unknown[])[3]).toEqual({ file, line: 6, kind: "run", step: "RUN 'a b' c" });
    expect(JSON.parse(JSON.stringify(fields))).toMatchObject({ images: [{ state: "new" }, { digest }, {}, { trouble: "no such host" }] });
    expect(JSON.stringify(fields)).not.toContain("secret");
  });

  test("an image that cannot be had at all makes it incomplete, at the line that needs it; one that the store has does not", () => {
    const { refusal } = shownBuildPlan(preview);
    expect(refusal).toMatchObject({
      exitCode: 1,
      problems: [{ at: at(2), near: url("gone"), message: `the plan is incomplete, since ${url("gone")} cannot be had: no such host` }],
    });
    expect(shownBuildPlan({ ...preview, images: images.slice(0, 3) }).refusal).toBeUndefined();
  });

  test("the numbers of steps are aligned", () => {
    const work = Array.from({ length: 10 }, (): WorkStep => ({ kind: "sh", at: at(1, file), script: "x" }));
    const steps = shownBuildPlan({ ...preview, plan: { ...preview.plan, work } })
      .lines(plain)
      .filter((line) => line.includes("SH x"));
    expect([steps[0], steps[9]]).toEqual([`   1  SH x  ${file}:1`, `  10  SH x  ${file}:1`]);
  });

  test("BOOTSTRAP is the layer below, cached or not", () => {
    const spec = { distribution: "debian", release: "bookworm", packages: ["nginx", "curl"] } as const;
    const bootstrap = { spec, step: { kind: "bootstrap", at: at(2, file), bootstrap: spec } } as const;
    const shown = (cached: boolean) =>
      shownBuildPlan({ ...preview, images: [], bootstrapCached: cached, plan: { ...preview.plan, bootstrap } });
    const below = (cached: boolean) => sections(shown(cached).lines(plain))["layers below it, the top one first"];
    expect(below(true)).toEqual(["BOOTSTRAP debian bookworm with nginx curl  cached"]);
    expect(below(false)).toEqual(["BOOTSTRAP debian bookworm with nginx curl  will be made"]);
    expect(shown(true).fields.bootstrap).toEqual({ ...spec, cached: true });
    expect(shownBuildPlan(preview).fields.bootstrap).toBeUndefined();
  });

  test("without PUSH, it is said that nothing is published; what there is none of has no heading", () => {
    const bare = { ...preview.plan, push: false, work: [], command: undefined, settings: { origin: url("web"), removed: [], entries: [] } };
    const lines = shownBuildPlan({ plan: bare, images: [], bootstrapCached: undefined, environment: [] }).lines(plain);
    expect(lines).toEqual([`build ${url("web")}  ${file}`, "push", "  nothing: there is no PUSH, so the image is not published"]);
  });

  test("control characters of paths, URLs and values are neutralised, and no value makes a line of its own", () => {
    const evil = "a\x1b[2J\x1b]0;title\x07\u202e\npush";
    const origin = `https://h/${evil}`;
    const shown = shownBuildPlan({
      ...preview,
      images: [
        { image: { ...ref("https://h/a.tar.gz"), written: origin }, state: "unknown", trouble: evil, stored: undefined, known: undefined },
      ],
      environment: [{ name: "Environment", value: evil, origin }],
      plan: {
        ...preview.plan,
        script: `/srv/${evil}`,
        image: { ...ref("https://h/a.tar.gz"), written: origin },
        work: [{ kind: "sh", at: at(1, `/srv/${evil}`), script: evil }],
        settings: { origin, removed: [], entries: [{ name: "Hostname", value: evil }] },
        command: [evil],
      },
    });
    const lines = shown.lines(plain);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    for (const line of lines) expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
    expect(lines.filter((line) => line.startsWith("push"))).toEqual(["push"]);
  });

  test("an argument with spaces in it is told from two arguments", () => {
    const shown = (argv: readonly string[]) =>
      shownBuildPlan({ ...preview, plan: { ...preview.plan, command: argv, work: [{ kind: "run", at: at(1), argv }] } }).lines(plain);
    expect(shown(["a b"])).not.toEqual(shown(["a", "b"]));
    expect(sections(shown(["a b"]))["command of the image"]).toEqual(["'a b'"]);
  });
});

/** A pattern of a line, however many spaces there are between its columns. */
function spaced(line: string): RegExp {
  return new RegExp(`^${line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replace(/ {3,}/, " {2,}")}$`);
}

describe("a setup", () => {
  const unit: UnitPreview = {
    path: "/etc/systemd/system/web.service",
    installed: undefined,
    change: "new",
    planned: "# nspawn machine web\nA=1\n",
  };
  const settled: Settled = {
    settings: [
      { name: "Hostname", value: "web", origin: url("base") },
      { name: "Boot", value: "yes", origin: script, at: at(4) },
    ],
    command: { argv: ["/init", "a b"], origin: url("base") },
    problems: [],
    refusals: [],
    warnings: [],
    systemd: 252,
  };
  const known = images.slice(0, 3);
  const preview: SetupPreview = {
    plan: {
      script,
      folder: "/srv/web",
      image: ref(url("web")),
      grant: [],
      machine: { name: "web", template: undefined, unitConf: [], serviceConf: [], installConf: [], state: "volatile" },
      settings: { origin: script, removed: ["Port"], entries: [{ name: "Boot", value: "yes", at: at(4) }] },
      places: new Map([
        ["Boot", at(4)],
        ["Port", at(5)],
      ]),
      lines: { image: at(2), machine: at(3), exec: undefined },
      command: undefined,
      work: [
        { kind: "run", at: at(6), argv: ["mkdir", "/srv/a b"] },
        { kind: "copy", at: at(7), source: "/srv/web/web.conf", target: "/etc/web.conf" },
      ],
    },
    action: "update",
    exists: false,
    made: { images, settled },
    restored: undefined,
    effects: [{ kind: "start" }, { kind: "enable" }],
    objection: undefined,
    unit,
    state: { active: "active", enabled: "enabled", known: "enabled", fragment: "/etc/systemd/system/web.service" },
  };
  const shown = (changes: Partial<SetupPreview> = {}) => shownSetupPlan({ ...preview, ...changes });
  const linesOf = (changes: Partial<SetupPreview> = {}): readonly string[] => shown(changes).lines(plain);
  const installed: UnitPreview = { ...unit, installed: unit.planned, change: "none" };
  /** A preview of an action with a machine that is there. */
  const withMachine = (action: SetupPreview["action"], changes: Partial<SetupPreview> = {}): Partial<SetupPreview> => ({
    action,
    exists: true,
    made: undefined,
    effects: [],
    unit: { path: unit.path, installed: unit.planned, change: "kept" },
    ...changes,
  });

  test("for people: the machine, its layers, settings with origins, what is done on the host, and the unit", () => {
    expect(linesOf()).toEqual(
      [
        `update machine web  ${script}`,
        "now",
        "  there is no such machine",
        "image and layers below it",
        ...imageLines,
        "root",
        "  what the machine writes is gone when it stops",
        "settings",
        `  Hostname=web  ${url("base")}`,
        `  Boot=yes      ${script}:4`,
        "not inherited",
        `  Port  ${script}:5`,
        "command",
        `  /init 'a b'  ${url("base")}`,
        "on the host",
        `  1  RUN mkdir '/srv/a b'            ${script}:6`,
        `  2  COPY /web.conf → /etc/web.conf  ${script}:7`,
        "the machine",
        "  starts",
        "  starts with the host from now on",
        "unit /etc/systemd/system/web.service: new",
        "@@ -0,0 +1,2 @@",
        "+# nspawn machine web",
        "+A=1",
      ].map((line) => (line.startsWith("  1  RUN") ? expect.stringMatching(spaced(line)) : line)),
    );
  });

  test("for programs: the same as fields, all of JSON", () => {
    const { fields } = shown();
    expect(fields).toEqual({
      script,
      machine: "web",
      action: "update",
      exists: false,
      effects: [{ kind: "start" }, { kind: "enable" }],
      state: { active: "active", enabled: "enabled" },
      root: "volatile",
      images: imageFields,
      settings: [
        { name: "Hostname", value: "web", origin: url("base") },
        { name: "Boot", value: "yes", origin: `${script}:4` },
      ],
      removed: ["Port"],
      command: { argv: ["/init", "a b"], origin: url("base") },
      steps: [
        { file: script, line: 6, kind: "run", step: "RUN mkdir '/srv/a b'" },
        { file: script, line: 7, kind: "copy", step: "COPY /web.conf → /etc/web.conf" },
      ],
      unit,
      refusals: [],
    });
    expect(() => JSON.stringify(fields)).not.toThrow();
  });

  test.each([
    ["systemd does not run here, so there are no machines", { state: undefined }],
    ["there is no such machine", {}],
    ["active, starts with the host", { unit: installed, exists: true }],
    [
      "failed, does not start with the host",
      { unit: installed, exists: true, state: { active: "failed", enabled: "disabled", known: "disabled", fragment: "" } },
    ],
  ] as const)("now: %s", (words, changes) => {
    expect(sections(linesOf(changes)).now).toEqual([words]);
  });

  test("a root that is kept", () => {
    const machine = { ...preview.plan.machine, state: "keep" } as const;
    const lines = linesOf({ plan: { ...preview.plan, machine } });
    expect(sections(lines).root).toEqual(["what the machine writes stays until the next update"]);
  });

  test("steps on the host are there for actions that do them only", () => {
    const steps = (changes: Partial<SetupPreview>) => sections(linesOf(changes))["on the host"];
    expect(steps({ action: "start" })).toEqual(["nothing: start does no steps of the script"]);
    expect(steps({ action: "ensure", unit: installed, exists: true })).toEqual(["nothing: ensure does no steps of the script"]);
    for (const changes of [{ action: "ensure" }, { action: "command" }, { action: "create" }] as const)
      expect(steps(changes)).toHaveLength(2);
  });

  test("a command of the script itself, and none", () => {
    const commandOf = (command: Settled["command"]) => sections(linesOf({ made: { images, settled: { ...settled, command } } })).command;
    expect(commandOf({ argv: ["x"], origin: script, at: at(8) })).toEqual([`x  ${script}:8`]);
    expect(commandOf(undefined)).toBeUndefined();
  });

  test.each([
    ["none", ": no change", []],
    ["comments", ": only comments change, and nothing restarts", ["@@ -1,2 +1,2 @@", "-# old", "+# new", " A=1"]],
    ["changed", ": changes, and the machine restarts", ["@@ -1,2 +1,2 @@", "-# old", "+# new", " A=1"]],
  ] as const)("a unit with the change %s", (change, words, diff) => {
    const lines = linesOf({ unit: { path: unit.path, installed: "# old\nA=1\n", planned: "# new\nA=1\n", change } });
    const heading = lines.findIndex((line) => line.startsWith("unit "));
    expect(lines.slice(heading)).toEqual([`unit ${unit.path}${words}`, ...diff]);
  });

  test("a unit that cannot be told, for now or at all", () => {
    const trouble = "an image cannot be had";
    const made = { images: known, settled };
    expect(linesOf({ unit: { path: unit.path, installed: undefined, change: "unknown", trouble } }).at(-1)).toBe(
      `unit ${unit.path}: ${trouble}`,
    );
    expect(shown({ made, unit: { path: unit.path, installed: undefined, change: "unknown", trouble } }).refusal).toBeUndefined();
    const problem = { at: at(3), message: "the template is wrong" };
    const error = new ProblemsError([problem]);
    const broken = shown({ made, unit: { path: unit.path, installed: undefined, change: "unknown", trouble: "x", error } });
    expect(broken.refusal).toMatchObject({ exitCode: 1, problems: [problem] });
    const own = shown({ made, unit: { ...unit, change: "unknown", planned: "", trouble: "x", error: new ScriptError([problem]) } });
    expect(own.refusal).toMatchObject({ exitCode: 2, problems: [problem] });
    // The error says it once, at the end.
    expect(broken.lines(plain).at(-1)).toBe(`unit ${unit.path}: cannot be made`);
    expect(broken.fields.unit).toEqual({ path: unit.path, installed: undefined, change: "unknown", trouble: "x" });
  });

  test("refusals are an error behind the plan, and fields of it", () => {
    const [one, two] = [
      { at: at(2), message: "a", hint: "do b" },
      { at: at(4), message: "c" },
    ];
    const { refusal, fields } = shown({ made: { images: known, settled: { ...settled, refusals: [one, two] } } });
    expect(refusal).toMatchObject({ exitCode: 1, problems: [one, two] });
    expect(fields.refusals).toEqual([
      { file: script, line: 2, message: "a", hint: "do b" },
      { file: script, line: 4, message: "c", hint: undefined },
    ]);
    expect(shown({ made: { images: known, settled: { ...settled, problems: [two], refusals: [one] } } }).refusal).toMatchObject({
      exitCode: 2,
      problems: [two, one],
    });
    expect(shown({ made: { images: known, settled } }).refusal).toBeUndefined();
  });

  test("an image that cannot be had makes it incomplete", () => {
    expect(shown().refusal).toMatchObject({ exitCode: 1, problems: [{ at: at(2), message: expect.stringContaining("incomplete") }] });
  });

  test("an action that makes no machine shows what it does with the one there is, and no image or setting", () => {
    const effects = [
      { kind: "stop" },
      { kind: "remove-layer", path: "/l" },
      { kind: "remove-root", path: "/m" },
      { kind: "disable" },
      { kind: "remove-unit", path: "/u" },
    ] as const;
    const removed = { path: unit.path, installed: "# nspawn machine web\nA=1\n", change: "removed" } as const;
    const { lines, fields, refusal } = shown(withMachine("desure", { effects, unit: removed }));
    expect(refusal).toBeUndefined();
    expect(lines(plain)).toEqual([
      `desure machine web  ${script}`,
      "now",
      "  active, starts with the host",
      "on the host",
      "  nothing: desure does no steps of the script",
      "the machine",
      "  stops",
      "  its writable layer is removed          /l",
      "  its mount point is removed             /m",
      "  does not start with the host any more",
      "  its unit is removed                    /u",
      "unit /etc/systemd/system/web.service: removed",
      "@@ -1,2 +0,0 @@",
      "-# nspawn machine web",
      "-A=1",
    ]);
    expect(fields).toMatchObject({ action: "desure", exists: true, effects, unit: { change: "removed" }, steps: [] });
    for (const name of ["images", "settings", "command", "refusals"]) expect(fields).not.toHaveProperty(name);
  });

  test.each([
    ["start", [], ["nothing to do"]],
    ["start", [{ kind: "start" }], ["starts"]],
    ["stop", [{ kind: "stop" }, { kind: "clear-layer", path: "/l" }], ["stops", "its writable layer is cleared  /l"]],
    ["ensure", [], [expect.stringContaining("stays as it is"), "runs already, and starts with the host"]],
    ["ensure", [{ kind: "start" }], [expect.stringContaining("stays as it is"), "starts"]],
    ["update", undefined, ["restarts if its unit changes"]],
  ] as const)("%s of a machine that is there, with the effects %j", (action, effects, words) => {
    const lines = linesOf(withMachine(action, { effects }));
    expect(sections(lines)["the machine"]).toEqual(words);
    expect(lines.at(-1)).toBe(`unit ${unit.path}: stays as it is`);
  });

  test("command shows steps alone, and what cannot be done is an error behind the plan", () => {
    expect(sections(linesOf(withMachine("command")))).not.toHaveProperty("the machine");
    const objection = new NspawnError("there is no machine web on this host");
    const { refusal, lines } = shown({ ...withMachine("stop"), exists: false, objection });
    expect(refusal).toBe(objection);
    expect(sections(lines(plain))).not.toHaveProperty("the machine");
  });

  test("colours change nothing but colours", () => {
    const lines = shown().lines(coloured);
    expect(lines.map(stripVTControlCharacters)).toEqual(linesOf());
    expect(lines.join("\n")).toContain("\x1b[32m+A=1\x1b[39m");
  });

  const evil = "a\x1b[2J\x1b]0;title\x07\u202e\nunit evil: new";
  test("control characters from images, errors and units are neutralised, and no value makes a line of its own", () => {
    const origin = `https://h/${evil}`;
    const image = { written: `https://h/${evil}`, url: "https://h/a.tar.gz", scheme: "https" } as const;
    const lines = linesOf({
      made: {
        images: [{ image, state: "unknown", trouble: evil, stored: undefined, known: undefined }],
        settled: { ...settled, settings: [{ name: "Hostname", value: evil, origin }], command: { argv: [evil], origin } },
      },
      plan: { ...preview.plan, work: [{ kind: "run", at: at(1, `/srv/${evil}`), argv: [evil] }] },
      unit: { ...unit, planned: `A=${evil}\n`, change: "changed", installed: `B=${evil}\n` },
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    for (const line of lines) expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
    expect(lines.filter((line) => /^unit evil/.test(line))).toEqual([]);
    const trouble = linesOf({ unit: { path: unit.path, installed: undefined, change: "unknown", trouble: evil } }).slice(-2);
    expect(trouble).toEqual([`unit ${unit.path}: a\\u202e`, "  unit evil: new"]);
  });
});

describe("unitDiff", () => {
  const lines = (...more: readonly string[]): string => `${["a", "b", "c", "d", "e", "f", "g", "h", ...more].join("\n")}\n`;

  test("shows changes with two lines around them, those far from each other apart", () => {
    expect(unitDiff(lines(), lines().replace("b\n", "B\nB2\n").replace("g\n", ""), plain)).toEqual([
      "@@ -1,8 +1,8 @@",
      " a",
      "-b",
      "+B",
      "+B2",
      " c",
      " d",
      " e",
      " f",
      "-g",
      " h",
    ]);
    const far = lines(...Array.from({ length: 20 }, (_, index) => `${index}`));
    expect(unitDiff(far, far.replace("a\n", "A\n").replace("\n19\n", "\n"), plain).filter((line) => line.startsWith("@@"))).toEqual([
      "@@ -1,3 +1,3 @@",
      "@@ -26,3 +26,2 @@",
    ]);
  });

  test("nothing for what is the same, and no word of a missing end of line", () => {
    expect(unitDiff(lines(), lines(), plain)).toEqual([]);
    expect(unitDiff("a", "b\n", plain)).toEqual(["@@ -1,1 +1,1 @@", "-a", "+b"]);
  });

  test("in colours: what goes is red, what comes is green, where it is cyan", () => {
    const paint: Paint = (style, text) => `<${style}>${text}`;
    expect(unitDiff("a\nb\n", "a\nB\x1b[0m\n", paint)).toEqual(["<cyan>@@ -1,2 +1,2 @@", " a", "<red>-b", "<green>+B"]);
  });
});

test("a section has its remarks in a column, by the width that is seen, and long texts push only their own", () => {
  expect(section(plain, "head", [])).toEqual([]);
  expect(section(plain, "head", [["a", "1"], ["日本", "2"], ["bbb"], ["x".repeat(70), "3"]])).toEqual([
    "head",
    `  a${" ".repeat(59)}  1`,
    `  日本${" ".repeat(56)}  2`,
    "  bbb",
    `  ${"x".repeat(70)}  3`,
  ]);
});
