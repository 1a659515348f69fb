import { describe, expect, test } from "vitest";
import type { Ancestor } from "../../src/image/inherit.js";
import type { ImageMeta } from "../../src/image/meta.js";
import { refusalError, type Settled, type SettleOptions, settle } from "../../src/machine/settle.js";
import type { SetupPlan } from "../../src/plan/setup-plan.js";
import type { SettingName } from "../../src/settings/catalog.js";
import type { SettingEntry } from "../../src/settings/value.js";
import { ref } from "../support/archive.js";

const script = "/srv/setup.ts";
const top = "https://images.example.org/top.tar.gz";
const base = "https://images.example.org/base.tar.gz";

const at = (line: number) => ({ file: script, line });
const line3 = at(3);

const entry = (line: string): SettingEntry => ({
  name: line.slice(0, line.indexOf("=")) as SettingName,
  value: line.slice(line.indexOf("=") + 1),
});

type Said = {
  readonly settings?: readonly string[];
  readonly removed?: readonly SettingName[];
  readonly command?: readonly string[];
};

function plan({ settings = [], removed = [], command, grant = [] }: Said & { readonly grant?: readonly SettingName[] } = {}): SetupPlan {
  return {
    script,
    folder: "/srv",
    image: ref(top),
    grant,
    machine: { name: "web", template: undefined, unitConf: [], serviceConf: [], installConf: [], state: "volatile" },
    settings: { origin: script, removed, entries: settings.map((line) => ({ ...entry(line), at: line3 })) },
    places: new Map(),
    lines: { image: at(1), machine: at(2), exec: command && at(4) },
    command,
    work: [],
  };
}

/** An image of a chain. What its metadata call it does not count. */
function image(url: string, { settings = [], removed = [], command }: Said = {}): Ancestor {
  const meta: ImageMeta = { url: "file:///lies.tar.gz", parents: [], command, settings: settings.map(entry), removed };
  return { image: ref(url), meta };
}

const options: SettleOptions = { trustList: ["file:"], systemd: 252 };
const lines = ({ settings }: Settled): readonly string[] => settings.map(({ name, value, origin }) => `${name}=${value} ${origin}`);
const messages = ({ problems, refusals }: Settled): readonly string[] => [...problems, ...refusals].map(({ message }) => message);

describe("what no unit can hold", () => {
  test.each([
    ["Environment=A=\ufffe", `Environment of ${top}: a unit cannot hold the character U+FFFE: A=`],
    ["Environment=A=\ud800", `Environment of ${top}: a unit cannot hold half of a character: A=`],
    [`Hostname=${"x".repeat(140_000)}`, `Hostname of ${top}: no program takes an argument of 140000 bytes: xxxx`],
  ])("%.20j of an image is refused by name, shortly", (line, message) => {
    const [refusal = "", ...others] = messages(settle(plan(), [image(top, { settings: [line] })], options));
    expect(refusal).toContain(message);
    expect(refusal.length).toBeLessThan(400);
    expect(others).toEqual([]);
  });

  test("a command, and all together", () => {
    expect(messages(settle(plan(), [image(top, { command: ["a", "\ud800"] })], options))).toEqual([
      expect.stringContaining(`the command of ${top}: a unit cannot hold half of a character`),
    ]);
    const settings = Array.from({ length: 12 }, (_, index) => `Environment=A${index}=${"x".repeat(100_000)}`);
    expect(messages(settle(plan(), [image(top, { settings })], options))).toEqual([
      expect.stringMatching(/^settings and command have 120\d{4} bytes/),
    ]);
    expect(messages(settle(plan(), [image(top, { settings: settings.slice(0, 8) })], options))).toEqual([]);
  });
});

describe("settings", () => {
  test("the nearest of a single value, all of a list with the farthest first, each with its origin", () => {
    const chain = [
      image(top, { settings: ["Hostname=top", "Environment=B=top", "Environment=C=top"] }),
      image(base, { settings: ["Hostname=base", "KillSignal=SIGTERM", "Environment=A=base", "Environment=B=base"] }),
    ];
    expect(lines(settle(plan({ settings: ["Environment=D=own", "Hostname=own"] }), chain, options))).toEqual([
      `KillSignal=SIGTERM ${base}`,
      `Environment=A=base ${base}`,
      `Environment=B=top ${top}`,
      `Environment=C=top ${top}`,
      `Environment=D=own ${script}`,
      `Hostname=own ${script}`,
    ]);
  });

  test("null takes away what was inherited, from whoever says it, and what stands nearer stays", () => {
    const chain = [
      image(top, { settings: ["Environment=B=top"], removed: ["Environment"] }),
      image(base, { settings: ["Environment=A=base", "Hostname=base"] }),
    ];
    expect(lines(settle(plan(), chain, options))).toEqual([`Hostname=base ${base}`, `Environment=B=top ${top}`]);
    expect(lines(settle(plan({ removed: ["Environment"], settings: ["Environment=C=own"] }), chain, options))).toEqual([
      `Hostname=base ${base}`,
      `Environment=C=own ${script}`,
    ]);
  });

  test("no images and nothing said are no settings, no command and no refusal", () => {
    expect(settle(plan(), [image(top)], options)).toMatchObject({ settings: [], command: undefined, problems: [], refusals: [] });
    expect(refusalError(settle(plan(), [], options))).toBeUndefined();
  });
});

describe("the command", () => {
  const chain = [image(top), image(base, { command: ["base"] })];

  test("the script's own, else that of the nearest image", () => {
    expect(settle(plan({ command: ["own"] }), chain, options).command).toEqual({ argv: ["own"], origin: script, at: at(4) });
    expect(settle(plan(), chain, options).command).toEqual({ argv: ["base"], origin: base });
    expect(settle(plan(), [image(top, { command: ["top"] }), ...chain.slice(1)], options).command).toEqual({ argv: ["top"], origin: top });
  });

  test("an image that boots is not given the command of one below it, but its own", () => {
    const boots = (command?: readonly string[]): Ancestor => image(top, { settings: ["Boot=yes"], ...(command && { command }) });
    expect(settle(plan(), [boots(), ...chain.slice(1)], options).command).toBeUndefined();
    expect(settle(plan(), [boots(["top"]), ...chain.slice(1)], options).command).toEqual({ argv: ["top"], origin: top });
    expect(settle(plan({ removed: ["Boot"] }), [boots(), ...chain.slice(1)], options).command).toEqual({ argv: ["base"], origin: base });
    expect(settle(plan({ settings: ["Boot=yes"] }), chain, options).command).toBeUndefined();
  });

  test("a command above the image that boots stays", () => {
    const below = [image(top, { command: ["top"] }), image(base, { settings: ["Boot=yes"] })];
    expect(settle(plan(), below, options)).toMatchObject({ command: { argv: ["top"] }, refusals: [] });
  });

  test("EXEC of the script beside a Boot that counts is refused, with the Boot's origin", () => {
    const chain = [image(top, { settings: ["Boot=yes"] })];
    const settled = settle(plan({ command: ["own"] }), chain, options);
    expect(settled.refusals).toEqual([
      {
        at: at(4),
        message: `EXEC of ${script} would become arguments of init: ${top} sets Boot`,
        hint: "WITH({ Boot: null }) runs the command instead; arguments of init go into Parameters",
      },
    ]);
    for (const own of [{ removed: ["Boot"] as const }, { settings: ["Boot=no"] }])
      expect(settle(plan({ command: ["own"], ...own }), chain, options)).toMatchObject({ command: { argv: ["own"] }, refusals: [] });
  });
});

describe("trust", () => {
  const suggests = (url: string): readonly Ancestor[] => [image(url, { settings: ["Bind=/etc:/host\netc", "Environment=A=1"] })];
  const trusting = (url: string, ...trustList: readonly string[]): boolean =>
    settle(plan(), suggests(url), { ...options, trustList }).refusals.length === 0;

  test("what opens the host is listed on one line each, with its origin and what to do", () => {
    const chain = [...suggests(top), image(base, { settings: ["Port=80", "Boot=yes", "Bind=/x"] })];
    expect(settle(plan(), chain, { ...options, trustList: [] }).refusals).toContainEqual({
      at: at(1),
      message: `the image sets what opens this host to the machine:\n  Port=80  from ${base}\n  Bind=/x  from ${base}\n  Bind=/etc:/host\\netc  from ${top}`,
      hint: `if that is meant: IMAGE(${JSON.stringify(top)}, { grant: ["Port", "Bind"] }), or give these settings in WITH`,
    });
  });

  test("by the beginning of the URL", () => {
    expect(trusting("file:///srv/a.tar.gz", "file:")).toBe(true);
    expect(trusting("file:///srv/a.tar.gz")).toBe(false);
    expect(trusting("file:///srv/a.tar.gz", "file:///srv/images/", "https://images.example.org/")).toBe(false);
    expect(trusting("https://images.example.org/a/b.tar.gz", "https://images.example.org/")).toBe(true);
    expect(trusting("https://images.example.org/a/b.tar.gz", "file:", "https://images.example.org/a/")).toBe(true);
    expect(trusting("http://images.example.org/a.tar.gz", "https://images.example.org/")).toBe(false);
  });

  test.each([
    "https://images.example.org/good/../evil/a.tar.gz",
    "https://images.example.org/good/%2e%2e/evil/a.tar.gz",
    "https://images.example.org/good/.%2E/evil/a.tar.gz",
    "https://images.example.org/good\\..\\evil\\a.tar.gz",
    "https://images.example.org/good/x/../../evil/a.tar.gz",
    "https://images.example.org/good/.\t./evil/a.tar.gz",
    "https://images.example.org.evil.example/good/a.tar.gz",
    "https://images.example.org:8443/good/a.tar.gz",
  ])("of the URL that is really asked, not of the one that is written: %j", (url) => {
    expect(trusting(url, "https://images.example.org/good/")).toBe(false);
  });

  test.each([
    "https://IMAGES.example.org/good/a.tar.gz",
    "https://images.example.org:443/good/a.tar.gz",
    "https://images.example.org/evil/../good/a.tar.gz",
    "HTTPS:\\\\images.example.org\\good\\a.tar.gz",
  ])("however it is written: %j", (url) => {
    expect(trusting(url, "https://images.example.org/good/")).toBe(true);
  });

  test("a trusted image does not speak for its parents, nor a parent for what stands on it", () => {
    const chain = [image("file:///srv/top.tar.gz", { settings: ["Bind=/y"] }), ...suggests(base)];
    expect(messages(settle(plan(), chain, options))).toEqual([
      expect.stringMatching(/machine:\n {2}Bind=\S+ {2}from https:\S+base\.tar\.gz$/),
    ]);
    const above = [...suggests(top), image("file:///srv/base.tar.gz", { settings: ["Bind=/x"] })];
    expect(messages(settle(plan(), above, options))).toEqual([
      expect.stringMatching(/machine:\n {2}Bind=\S+ {2}from https:\S+top\.tar\.gz$/),
    ]);
  });

  test("a grant by name, and a script that repeats the very setting", () => {
    expect(settle(plan({ grant: ["Bind"] }), suggests(top), options).refusals).toEqual([]);
    expect(settle(plan({ grant: ["BindReadOnly"] }), suggests(top), options).refusals).toHaveLength(1);
    expect(settle(plan({ settings: ["Bind=/etc:/host\netc"] }), suggests(top), options).refusals).toEqual([]);
    expect(settle(plan({ settings: ["Bind=/etc:/other"] }), suggests(top), options).refusals).toHaveLength(1);
    expect(settle(plan({ removed: ["Bind"] }), suggests(top), options)).toMatchObject({
      refusals: [],
      settings: [{ name: "Environment" }],
    });
  });

  test("the script itself needs no grant", () => {
    expect(settle(plan({ settings: ["Bind=/etc", "Capability=all"] }), [image(top)], options).refusals).toEqual([]);
  });
});

describe("what this host cannot do", () => {
  test("a setting of the script that is newer than its systemd is the script's problem, with its line and what would be right", () => {
    const own = plan({ settings: ["RestrictAddressFamilies=AF_INET", "MACVLAN=eth0:x"] });
    const settled = settle(own, [image(top, { settings: ["NoNewPrivileges=yes", "KillSignal=SIGTERM"] })], options);
    expect(settled.refusals).toEqual([]);
    expect(settled.problems).toMatchObject([
      { at: line3, message: "WITH: RestrictAddressFamilies needs systemd 261, this host has 252", hint: "delete it" },
      { at: line3, message: "WITH: MACVLAN=eth0:x needs systemd 253, this host has 252", hint: 'write "eth0", or delete it' },
    ]);
    expect(refusalError(settled)?.exitCode).toBe(2);
  });

  test("one of an image is refused at IMAGE, with its origin", () => {
    const settled = settle(plan(), [image(top, { settings: ["Console=autopipe", "SuppressSync=yes"] })], { ...options, systemd: 240 });
    expect(settled.problems).toEqual([]);
    expect(settled.refusals).toEqual([
      {
        at: at(1),
        message: expect.stringMatching(/^Console.* needs systemd \d+, this host has 240:\n {2}Console {2}from https:\S+top\.tar\.gz$/),
        hint: "do without: WITH({ Console: null })",
      },
      {
        at: at(1),
        message: `SuppressSync needs systemd 250, this host has 240:\n  SuppressSync  from ${top}`,
        hint: "do without: WITH({ SuppressSync: null })",
      },
    ]);
    expect(refusalError(settled)?.exitCode).toBe(1);
  });

  test("nothing is refused where the version is not known, or where it is right", () => {
    const own = plan({ settings: ["RestrictAddressFamilies=AF_INET"] });
    expect(messages(settle(own, [], { ...options, systemd: undefined }))).toEqual([]);
    expect(messages(settle(own, [], { ...options, systemd: 261 }))).toEqual([]);
  });
});

describe("contradictions", () => {
  test("between script and image are refused at the script's line, with the image and what to do about either", () => {
    const chain = [image(top, { settings: ["Boot=yes"] })];
    const { refusals, problems } = settle(plan({ settings: ["ProcessTwo=yes"] }), chain, options);
    expect(problems).toEqual([]);
    expect(refusals).toEqual([
      {
        at: line3,
        near: "ProcessTwo",
        message: `Boot and ProcessTwo exclude each other:\n  Boot  from ${top}`,
        hint: "delete ProcessTwo, or WITH({ Boot: null }) takes away what was inherited",
      },
    ]);
  });

  test("between images are refused at IMAGE", () => {
    const chain = [image(top, { settings: ["Boot=yes"] }), image(base, { settings: ["ProcessTwo=yes"] })];
    const { refusals } = settle(plan(), chain, options);
    expect(refusals).toMatchObject([
      { at: at(1), message: expect.stringMatching(/Boot {2}from \S+top\.tar\.gz\n {2}ProcessTwo {2}from \S+base/) },
    ]);
  });

  test("what is lacking in all of them together is the script's problem where the setting is the script's", () => {
    const own = settle(plan({ settings: ["Port=80"] }), [], options);
    expect(own.problems).toMatchObject([{ at: line3, near: "Port", message: "WITH: Port=80 needs a network of the machine's own" }]);
    const images = settle(plan({ grant: ["Port"] }), [image(top, { settings: ["Port=80"] })], options);
    expect(images.problems).toEqual([]);
    expect(images.refusals).toMatchObject([{ at: at(1), message: expect.stringContaining(`Port  from ${top}`) }]);
    const both = plan({ settings: ["Port=80"], grant: ["Private"] });
    expect(messages(settle(both, [image(top, { settings: ["Private=yes"] })], options))).toEqual([]);
  });

  test("nothing is lacking as long as an image is not known", () => {
    expect(messages(settle(plan({ settings: ["Port=80"] }), [], { ...options, complete: false }))).toEqual([]);
    expect(messages(settle(plan({ settings: ["Boot=yes", "ProcessTwo=yes"] }), [], { ...options, complete: false }))).toHaveLength(1);
  });

  test("what later versions of systemd take is not refused there", () => {
    const own = plan({ settings: ["BindUser=nobody"] });
    expect(messages(settle(own, [], { ...options, systemd: 257 }))).toEqual(["WITH: BindUser=nobody needs PrivateUsers"]);
    expect(messages(settle(own, [], { ...options, systemd: 258 }))).toEqual([]);
  });
});

describe("Ephemeral", () => {
  const keeps = (said: Said): SetupPlan => ({ ...plan(said), machine: { ...plan().machine, state: "keep" } });

  test("beside a state that is kept is the script's problem where the script says both", () => {
    const settled = settle(keeps({ settings: ["Ephemeral=yes"] }), [], options);
    expect(settled.problems).toMatchObject([
      { at: line3, message: expect.stringContaining("exclude each other"), hint: "delete one of them" },
    ]);
    expect(settled.refusals).toEqual([]);
  });

  test("of an image is refused, with its origin and the way out", () => {
    const settled = settle(keeps({}), [image(top, { settings: ["Ephemeral=yes"] })], options);
    expect(settled.problems).toEqual([]);
    const [refusal] = settled.refusals;
    expect(refusal).toMatchObject({ at: at(2), hint: expect.stringContaining("Ephemeral: null") });
    expect(refusal?.message).toContain(`exclude each other:\n  Ephemeral  from ${top}`);
  });

  test("is fine where nothing is kept, and where it is off", () => {
    expect(messages(settle(plan({ settings: ["Ephemeral=yes"] }), [], options))).toEqual([]);
    expect(messages(settle(keeps({ settings: ["Ephemeral=no"] }), [], options))).toEqual([]);
  });
});

test("a folder of devices that are of no known group is worth a warning", () => {
  const warnings = (bind: string): readonly string[] => settle(plan({ settings: [`Bind=${bind}`], command: ["sh"] }), [], options).warnings;
  expect(warnings("/dev/mapper/:/dev/mapper")).toEqual([
    expect.stringContaining("the machine sees the devices in /dev/mapper, and may not use them"),
  ]);
  expect(warnings("/dev/dri/")).toEqual([]);
});

describe("a machine that nobody says anything to run in", () => {
  const warnings = (own: Parameters<typeof plan>[0], chain: readonly Ancestor[] = [image(top)], complete = true): readonly string[] =>
    settle(plan(own), chain, { ...options, complete }).warnings;

  test("is worth a warning", () => {
    expect(warnings({})).toEqual([expect.stringMatching(/^nothing says what the machine web runs: .*EXEC\(\[program, …\]\)/)]);
    expect(warnings({ settings: ["Boot=no"] })).toHaveLength(1);
  });

  test("a command, Boot or Parameters of script or image say what runs, and an unknown image may", () => {
    for (const own of [{ command: ["a"] }, { settings: ["Boot=yes"] }, { settings: ["Parameters=a"] }]) {
      expect(warnings(own)).toEqual([]);
      expect(warnings({}, [image(top), image(base, own)])).toEqual([]);
    }
    expect(warnings({}, [image(top)], false)).toEqual([]);
  });
});

describe("what no unit can hold of the script itself", () => {
  test("is the script's problem, at its line", () => {
    const settled = settle(plan({ settings: ["Environment=A=\ufffe"], command: ["\ud800"] }), [image(top)], options);
    expect(settled.refusals).toEqual([]);
    expect(settled.problems).toMatchObject([
      { at: line3, message: expect.stringMatching(/^Environment: a unit cannot hold/) },
      { at: at(4), message: expect.stringMatching(/^the command: a unit cannot hold/) },
    ]);
  });
});

describe("all refusals together", () => {
  const chain = [image(top, { settings: ["Boot=yes", "Bind=/etc"] })];
  const settled = settle(plan({ command: ["own"], settings: ["ProcessTwo=yes", "RestrictAddressFamilies=AF_INET"] }), chain, options);

  test("are one error with the script's own problems, which make it an error of the script", () => {
    const error = refusalError(settled);
    expect(error?.exitCode).toBe(2);
    expect(error?.problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/needs systemd 261, this host has 252$/),
      expect.stringMatching(/^EXEC of \/srv\/setup\.ts would become arguments of init/),
      expect.stringMatching(/exclude each other/),
      expect.stringMatching(/^the image sets what opens this host.*Bind=\/etc {2}from https:/s),
    ]);
  });

  test("without them it is none of the script alone", () => {
    expect(refusalError({ ...settled, problems: [] })).toMatchObject({ exitCode: 1, problems: settled.refusals });
    expect(refusalError({ problems: [], refusals: [] })).toBeUndefined();
  });
});
