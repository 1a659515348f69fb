import { describe, expect, test } from "vitest";
import type { Call, Keyword } from "../../src/dsl/call.js";
import { parseCalls } from "../../src/plan/parse.js";

const folder = "/srv/web";

function parse(keyword: Keyword, ...args: readonly unknown[]) {
  const kind = keyword === "MACHINE" || (keyword === "IMAGE" && JSON.stringify(args).includes("grant")) ? "setup" : "build";
  const call: Call = { keyword, args, at: { file: `${folder}/build.ts`, line: 3 } };
  return parseCalls({ path: `${folder}/${kind}.ts`, folder, kind, calls: [call] });
}

function step(keyword: Keyword, ...args: readonly unknown[]) {
  const { steps, problems } = parse(keyword, ...args);
  expect(problems).toEqual([]);
  expect(steps).toHaveLength(1);
  return steps[0];
}

function problem(keyword: Keyword, ...args: readonly unknown[]): string {
  const { problems } = parse(keyword, ...args);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.at).toEqual({ file: `${folder}/build.ts`, line: 3 });
  return `${problems[0]?.message}${problems[0]?.hint === undefined ? "" : ` | ${problems[0].hint}`}`;
}

describe("IMAGE and PULL", () => {
  test("both forms of a URL are taken", () => {
    const image = { written: "https://h/a.tar.gz", url: "https://h/a.tar.gz", scheme: "https" };
    expect(step("IMAGE", "https://h/a.tar.gz")).toMatchObject({ kind: "image", image, grant: [] });
    expect(step("IMAGE", { url: "https://h/a.tar.gz" })).toMatchObject({ kind: "image", image });
    expect(step("PULL", "https://h/a.tar.gz")).toMatchObject({ kind: "pull", image, digest: undefined });
  });

  test("grants come from either argument", () => {
    expect(step("IMAGE", { url: "https://h/a.tar.gz", grant: ["Bind"] }, { grant: ["Port"] })).toMatchObject({ grant: ["Bind", "Port"] });
  });

  test("a grant of what is no setting is refused", () => {
    expect(problem("IMAGE", "https://h/a.tar.gz", { grant: ["Binds"] })).toMatch(/^IMAGE: .*names of settings.*"Binds"/);
    expect(problem("IMAGE", "https://h/a.tar.gz", { grant: "Bind" })).toMatch(/list of settings/);
    expect(problem("IMAGE", "https://h/a.tar.gz", { grants: [] })).toMatch(/no field "grants"/);
  });

  test("a wrong URL is explained with an example", () => {
    expect(problem("PULL", "debian.tar.gz")).toMatch(/^PULL: "debian.tar.gz" is no URL \| .*https:\/\/host\/path/);
  });

  test("digests are sha256 in lower case", () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    expect(step("PULL", { url: "https://h/a.tar.gz", digest })).toMatchObject({ digest });
    for (const wrong of ["ab".repeat(32), `sha256:${"AB".repeat(32)}`, `sha256:${"ab".repeat(31)}`, 1, ""])
      expect(problem("PULL", { url: "https://h/a.tar.gz", digest: wrong })).toMatch(/digest: sha256: and 64/);
  });

  test.each([[undefined], [1], [null], [["https://h/a.tar.gz"]], [{}], [{ uri: "x" }]])("%j is no image", (given) => {
    expect(problem("PULL", given)).toMatch(/^PULL: expected .*, got /);
  });
});

describe("EXEC, RUN and SH", () => {
  test.each(["EXEC", "RUN"] as const)("%s takes arguments as they are", (keyword) => {
    expect(step(keyword, ["a", "", " b "])).toMatchObject({ argv: ["a", "", " b "] });
    expect(step(keyword, { command: ["a"] })).toMatchObject({ argv: ["a"] });
  });

  test.each([["a b"], [[]], [[""]], [["a", 1]], [["a", "\0"]], [undefined], [{ commands: ["a"] }]])("RUN refuses %j", (given) => {
    expect(problem("RUN", given)).toMatch(/^RUN: expected .*program/);
  });

  test("SH takes a script of several lines, and none that is empty", () => {
    expect(step("SH", "a\nb")).toMatchObject({ kind: "sh", script: "a\nb" });
    expect(step("SH", { script: "a" })).toMatchObject({ script: "a" });
    expect(problem("SH", "")).toMatch(/a shell script/);
    expect(problem("SH", ["a"])).toMatch(/a shell script/);
  });
});

describe("WITH", () => {
  test("entries keep their order, null removes, undefined is nothing", () => {
    expect(step("WITH", { Hostname: "web", Boot: true, Bind: null, Zone: undefined })).toMatchObject({
      entries: [
        { name: "Hostname", value: "web" },
        { name: "Boot", value: "yes" },
      ],
      removed: ["Bind"],
    });
  });

  test("an unknown setting is told with the nearest one", () => {
    expect(problem("WITH", { Enviroment: {} })).toBe("WITH: there is no setting Enviroment | did you mean Environment?");
    expect(problem("WITH", { toString: 1 })).toMatch(/there is no setting toString/);
  });

  test("a wrong value is told with what is right", () => {
    expect(problem("WITH", { Boot: "maybe" })).toMatch(/^WITH: Boot takes true or false .*got "maybe"/);
    expect(problem("WITH", { Hostname: ["a"] })).toMatch(/Hostname takes a text/);
    expect(problem("WITH", { Bind: [7n] })).toMatch(/Bind takes a text or a list/);
  });

  test("several wrong settings are several problems", () => {
    expect(parse("WITH", { Boot: "maybe", Nope: 1, Hostname: "web" }).problems).toHaveLength(2);
  });

  test.each([[undefined], ["Boot=yes"], [["Boot"]], [null]])("%j is no list of settings", (given) => {
    expect(problem("WITH", given)).toMatch(/expected WITH\(/);
  });
});

describe("COPY and CAST", () => {
  test.each([
    ["/etc", "/srv/web/etc", "/etc"],
    ["/etc/", "/srv/web/etc", "/etc/"],
    [{ path: "/etc/./x//y" }, "/srv/web/etc/x/y", "/etc/x/y"],
    [{ source: "files/a b", target: "/opt/a" }, "/srv/web/files/a b", "/opt/a"],
    [{ source: "./files", target: "/opt/../x" }, "/srv/web/files", "/x"],
    [{ source: "/", target: "/" }, "/srv/web", "/"],
    [{ source: "..a/b..", target: "/x" }, "/srv/web/..a/b..", "/x"],
  ])("COPY(%j) copies %s to %s", (given, source, target) => {
    expect(step("COPY", given)).toMatchObject({ kind: "copy", source, target });
  });

  test("a target that is not absolute is refused, with the right one", () => {
    expect(problem("COPY", "etc")).toBe('COPY: target "etc" is not an absolute path | write "/etc"');
    expect(problem("COPY", { source: "a", target: "./b" })).toMatch(/write "\/b"/);
  });

  test("a source outside of the script's folder is refused", () => {
    expect(problem("COPY", { source: "../secret", target: "/x" })).toMatch(/leads out of the script's folder/);
    expect(problem("COPY", { source: "a/../../b", target: "/x" })).toMatch(/leads out/);
    expect(problem("COPY", "/a/../b")).toMatch(/leads out/);
  });

  test.each([[undefined], [""], [{}], [{ source: "a" }], [{ target: "/a" }], [{ path: "/a", target: "/b" }], [["/a"]], ["/a\0"]])(
    "COPY(%j) is wrong",
    (given) => {
      expect(problem("COPY", given)).toMatch(/^COPY: expected /);
    },
  );

  test("CAST takes variables, and none by default", () => {
    expect(step("CAST", "/a", { b: [1] })).toMatchObject({ kind: "cast", variables: { b: [1] } });
    expect(step("CAST", "/a")).toMatchObject({ variables: {} });
    expect(problem("CAST", "/a", "b=1")).toMatch(/object with the template's variables, got "b=1"/);
  });
});

describe("BOOTSTRAP", () => {
  test("what is given stays, what is not is absent", () => {
    const spec = { distribution: "debian", release: "bookworm", packages: ["nginx-light", "libstdc++6"] };
    expect(step("BOOTSTRAP", spec)).toMatchObject({ kind: "bootstrap", bootstrap: spec });
    expect(Object.keys((step("BOOTSTRAP", spec) as { bootstrap: object }).bootstrap)).toEqual(["distribution", "release", "packages"]);
  });

  test.each([
    [{ distribution: "arch", release: "x" }, /distribution: one of debian, ubuntu/],
    [{ distribution: "debian" }, /release/],
    [{ distribution: "debian", release: "--hook=rm" }, /release: a name/],
    [{ distribution: "debian", release: "sid", packages: ["a,b"] }, /packages: a name/],
    [{ distribution: "debian", release: "sid", packages: "nginx" }, /list of package names/],
    [{ distribution: "debian", release: "sid", mirror: "mirror.example" }, /mirror: an http:/],
    [{ distribution: "debian", release: "sid", variant: "huge" }, /variant: one of/],
    [{ distribution: "debian", release: "sid", package: [] }, /no field "package"/],
    ["debian", /expected BOOTSTRAP\(/],
  ])("BOOTSTRAP(%j) is refused", (given, why) => {
    expect(problem("BOOTSTRAP", given)).toMatch(why);
  });
});

describe("MACHINE", () => {
  test("a name alone is a volatile machine without further lines", () => {
    expect(step("MACHINE", "web")).toMatchObject({
      machine: { name: "web", template: undefined, unitConf: [], serviceConf: [], installConf: [], state: "volatile" },
    });
  });

  test("everything can be given", () => {
    const spec = {
      name: "web",
      template: "web.service",
      unitConf: ["After=x.service"],
      serviceConf: ["CPUQuota=50%"],
      installConf: ["Alias=w.service"],
      state: "keep",
    };
    expect(step("MACHINE", spec)).toMatchObject({ machine: { ...spec, template: "/srv/web/web.service" } });
  });

  test.each([
    ["a b", /no machine name/],
    [{ name: "web", state: "kept" }, /state: one of volatile, keep/],
    [{ name: "web", serviceConf: ["CPUQuota"] }, /lines of a unit/],
    [{ name: "web", serviceConf: ["A=1\n[Install]"] }, /lines of a unit/],
    [{ name: "web", serviceConf: ["# comment"] }, /lines of a unit/],
    [{ name: "web", template: "../x.service" }, /leads out/],
    [{ name: "web", units: [] }, /no field "units"/],
    [undefined, /expected .*machine name/],
  ])("MACHINE(%j) is refused", (given, why) => {
    expect(problem("MACHINE", given)).toMatch(why);
  });

  test("a line that ends in a backslash would swallow the line after it, and is refused", () => {
    expect(problem("MACHINE", { name: "web", serviceConf: ["Environment=A=1\\"] })).toMatch(/lines of a unit/);
  });
});

describe("calls together", () => {
  test("a wrong call hides no other", () => {
    const at = (line: number) => ({ file: "/srv/web/build.ts", line });
    const { steps, problems } = parseCalls({
      path: "/srv/web/build.ts",
      folder,
      kind: "build",
      calls: [
        { keyword: "IMAGE", args: ["x"], at: at(1) },
        { keyword: "RUN", args: [["true"]], at: at(2) },
        { keyword: "COPY", args: ["etc"], at: at(3) },
        { keyword: "PUSH", args: [], at: at(4) },
      ],
    });
    expect(steps.map(({ kind }) => kind)).toEqual(["run", "push"]);
    expect(problems.map(({ at, message }) => `${at.line} ${message.split(":")[0]}`)).toEqual(["1 IMAGE", "3 COPY"]);
  });
});

describe("arguments that a keyword does not take", () => {
  test.each([
    ["PULL", ["file:///a.tar.gz", { digest: `sha256:${"0".repeat(64)}` }]],
    ["MACHINE", ["web", { state: "keep" }]],
    ["COPY", ["/a", "/b"]],
    ["RUN", [["ls"], "-l"]],
    ["PUSH", ["file:///a.tar.gz"]],
  ] as const)("%s: a further one is a problem, not dropped", (keyword, args) => {
    expect(problem(keyword, ...args)).toMatch(new RegExp(`^${keyword}: takes (no|one) argument, got another: `));
  });

  test("grant is for setup scripts", () => {
    const calls = [
      { keyword: "IMAGE" as const, args: [{ url: "file:///a.tar.gz", grant: ["Bind"] }], at: { file: "/srv/web/build.ts", line: 1 } },
    ];
    const { problems } = parseCalls({ path: "/srv/web/build.ts", folder, kind: "build", calls });
    expect(problems.map(({ message }) => message).join()).toContain("grant belongs to setup scripts");
  });
});
