import { describe, expect, test } from "vitest";
import type { Call, Keyword } from "../../src/dsl/call.js";
import { parseCalls } from "../../src/plan/parse.js";
import { ownSettings } from "../../src/plan/select.js";
import { settingProblems, versionProblems } from "../../src/plan/setting-problems.js";
import type { StepOf } from "../../src/plan/step.js";

type Said = readonly [Keyword, ...unknown[]];

/** What is wrong with these calls together, a line each, as `line: message (near)`. */
function problems(...said: readonly Said[]): readonly string[] {
  return problemsOn(undefined, ...said);
}

/** The same on a host with a version of systemd. */
function problemsOn(systemd: number | undefined, ...said: readonly Said[]): readonly string[] {
  const path = "/srv/setup.ts";
  const calls = said.map(([keyword, ...args], index): Call => ({ keyword, args, at: { file: path, line: index + 1 } }));
  const parsed = parseCalls({ path, folder: "/srv", kind: "setup", calls });
  expect(parsed.problems).toEqual([]);
  const exec = parsed.steps.find((step): step is StepOf<"exec"> => step.kind === "exec");
  return settingProblems(ownSettings(parsed.steps, path), exec, systemd).map(
    ({ at, message, near }) => `${at.line}: ${message}${near === undefined ? "" : ` (${near})`}`,
  );
}

describe("settings of one script", () => {
  test("what excludes each other is told at the setting's line, in one WITH or in two", () => {
    const message = "WITH: Boot and ProcessTwo exclude each other (ProcessTwo)";
    expect(problems(["WITH", { Boot: true, ProcessTwo: true }])).toEqual([`1: ${message}`]);
    expect(problems(["WITH", { ProcessTwo: true }], ["WITH", { Boot: true }])).toEqual([`1: ${message}`]);
    expect(problems(["WITH", { Boot: true }], ["SH", "x"], ["WITH", { ProcessTwo: true }])).toEqual([`3: ${message}`]);
  });

  test("a setting that a later WITH takes away or overrides contradicts nothing", () => {
    expect(problems(["WITH", { Boot: true, ProcessTwo: true }], ["WITH", { ProcessTwo: null }])).toEqual([]);
    expect(problems(["WITH", { Boot: true, ProcessTwo: true }], ["WITH", { Boot: false }])).toEqual([]);
  });

  test("a value that belongs to another setting by its readOnly is told at the line of the one that is written", () => {
    expect(problems(["SH", "x"], ["WITH", { PrivateUsers: "pick", Bind: [{ source: "/srv", target: "/", readOnly: true }] }])).toEqual([
      expect.stringMatching(/^2: WITH: PrivateUsers=pick and BindReadOnly=\/srv:\/ exclude each other/),
    ]);
  });

  test("what lacks something may get it from an image", () => {
    expect(problems(["WITH", { Port: 80 }])).toEqual([]);
  });

  test("several contradictions are several problems", () => {
    expect(problems(["WITH", { Boot: true, ProcessTwo: true, Bridge: "br0", Zone: "web" }])).toHaveLength(2);
  });
});

describe("settings that the host's systemd is too old for", () => {
  test("are told with both versions, each at its own line", () => {
    const said: readonly Said[] = [
      ["WITH", { RestrictAddressFamilies: "AF_INET", Boot: true }],
      ["WITH", { MACVLAN: ["eth0", "eth1:lan"] }],
    ];
    expect(problemsOn(252, ...said)).toEqual([
      "1: WITH: RestrictAddressFamilies needs systemd 261, this host has 252 (RestrictAddressFamilies)",
      "2: WITH: MACVLAN=eth1:lan needs systemd 253, this host has 252 (MACVLAN)",
    ]);
    expect(problemsOn(261, ...said)).toEqual([]);
    expect(problems(...said)).toEqual([]);
  });

  test("what is right for that host is in the hint", () => {
    const settings = [
      { name: "MACVLAN", value: "eth1:lan", origin: "/s", at: { file: "/s", line: 1 } },
      { name: "PrivateUsers", value: "managed", origin: "/s", at: { file: "/s", line: 2 } },
    ] as const;
    expect(versionProblems(settings, 252).map(({ hint }) => hint)).toEqual(['write "eth1", or delete it', "delete it"]);
  });
});

describe("EXEC beside settings", () => {
  test("a machine that boots runs no command", () => {
    expect(problems(["WITH", { Boot: true }], ["EXEC", ["a"]])).toEqual(["2: EXEC: a machine that boots runs init, not a command"]);
    expect(problems(["EXEC", ["a"]], ["WITH", { Boot: "on", Parameters: ["b"] }])).toEqual([
      "1: EXEC: a machine that boots runs init, not a command",
    ]);
  });

  test("Parameters say what runs, too", () => {
    expect(problems(["WITH", { Parameters: ["b"] }], ["EXEC", ["a"]])).toEqual(["2: EXEC: the Parameters of WITH say what runs, too"]);
  });

  test("each of them alone is fine, and so is what was taken away again", () => {
    expect(problems(["EXEC", ["a"]], ["WITH", { Boot: false }])).toEqual([]);
    expect(problems(["EXEC", ["a"]], ["WITH", { Boot: null, Parameters: null }])).toEqual([]);
    expect(problems(["EXEC", ["a"]], ["WITH", { Boot: true, Parameters: "x" }], ["WITH", { Boot: null, Parameters: null }])).toEqual([]);
    expect(problems(["WITH", { Boot: true, Parameters: ["x"] }])).toEqual([]);
    expect(problems(["WITH", { Parameters: ["x"] }])).toEqual([]);
  });
});
