import { describe, expect, test } from "vitest";
import type { Call, Keyword } from "../../src/dsl/call.js";
import { type Parsed, parseCalls } from "../../src/plan/parse.js";

const folder = "/srv/web";

function parse(keyword: Keyword, ...args: readonly unknown[]): Parsed {
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

/** All that is wrong with a call: message, and the text that is wrong. */
function problems(keyword: Keyword, ...args: readonly unknown[]): readonly (readonly [string, string | undefined])[] {
  return parse(keyword, ...args).problems.map(({ message, near }) => [message, near]);
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
    expect(problem("IMAGE", "https://h/a.tar.gz", { grant: ["Port", "Binds"] })).toBe(
      'IMAGE: grant[1]: expected the name of a setting, got "Binds" | did you mean Bind?',
    );
    expect(problem("IMAGE", "https://h/a.tar.gz", { grant: "Bind" })).toMatch(
      /^IMAGE: grant: expected a list of settings' names, got "Bind"/,
    );
    expect(problem("IMAGE", "https://h/a.tar.gz", { grants: [] })).toBe('IMAGE: there is no field "grants" | did you mean grant?');
    expect(problem("IMAGE", { url: "https://h/a.tar.gz", grant: [7] })).toMatch(
      /^IMAGE: grant\[0\]: expected the name of a setting, got 7/,
    );
    expect(problem("IMAGE", "https://h/a.tar.gz", "grant")).toMatch(/^IMAGE: expected IMAGE\(url\).*, got "grant"/);
  });

  test("a wrong URL is explained with an example", () => {
    expect(problem("PULL", "debian.tar.gz")).toMatch(/^PULL: "debian.tar.gz" is no URL \| .*https:\/\/host\/path/);
    expect(problem("PULL", { url: "debian.tar.gz" })).toMatch(/^PULL: url: "debian.tar.gz" is no URL \| .*https:\/\/host\/path/);
    expect(problems("PULL", "ftp://h/a.tar.gz")).toEqual([['PULL: the scheme "ftp" is not one of file, http, https', "ftp://h/a.tar.gz"]]);
  });

  test("digests are sha256 in lower case", () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    expect(step("PULL", { url: "https://h/a.tar.gz", digest })).toMatchObject({ digest });
    for (const wrong of ["ab".repeat(32), `sha256:${"AB".repeat(32)}`, `sha256:${"ab".repeat(31)}`, 1, ""])
      expect(problem("PULL", { url: "https://h/a.tar.gz", digest: wrong })).toMatch(
        /^PULL: digest: expected sha256: and 64 hexadecimal digits, got /,
      );
  });

  test.each([
    [undefined, "nothing"],
    [1, "1"],
    [null, "null"],
    ["", '""'],
    [["https://h/a.tar.gz"], '["https://h/a.tar.gz"]'],
  ])("%j is no image", (given, shown) => {
    for (const keyword of ["PULL", "IMAGE"] as const) expect(problem(keyword, given)).toContain(`${keyword}: expected a URL, got ${shown}`);
  });

  test("an object without a URL is told what is missing, and what it has instead", () => {
    expect(problem("PULL", {})).toBe('PULL: the field "url" is missing | the call is PULL(url) or PULL({ url, digest? })');
    // A name that is nearly the missing one is one mistake; any other is one more.
    expect(problem("PULL", { uri: "x" })).toBe('PULL: there is no field "uri" | did you mean url?');
    expect(problems("PULL", { image: "x" })).toEqual([
      ['PULL: there is no field "image"', "image"],
      ['PULL: the field "url" is missing', "PULL"],
    ]);
    expect(problem("IMAGE", { url: "https://h/a.tar.zst", digest: "x" })).toBe('IMAGE: there is no field "digest" | the fields are url');
  });
});

describe("EXEC, RUN and SH", () => {
  test.each(["EXEC", "RUN"] as const)("%s takes arguments as they are", (keyword) => {
    expect(step(keyword, ["a", "", " b "])).toMatchObject({ argv: ["a", "", " b "] });
    expect(step(keyword, { command: ["a"] })).toMatchObject({ argv: ["a"] });
  });

  const whole = "expected a list of texts: the program, then its arguments, got";
  test.each([
    ["a b", `${whole} "a b" | SH("a b") runs a shell script`],
    [[], `${whole} [] | the call is RUN([program, …]) or RUN({ command: [program, …] })`],
    [
      [""],
      'expected the name of a program as the first of them, got [""] | the call is RUN([program, …]) or RUN({ command: [program, …] })',
    ],
    [undefined, `${whole} nothing | the call is RUN([program, …]) or RUN({ command: [program, …] })`],
    [["a", 1], '[1]: expected a text, got 1 | write "1"'],
    [
      ["a", "\0"],
      '[1]: expected a text without NUL characters, got "\\u0000" | the call is RUN([program, …]) or RUN({ command: [program, …] })',
    ],
    [{ command: ["a", null] }, "command[1]: expected a text, got null"],
    [{ command: "a" }, `command: ${whole} "a" | SH("a") runs a shell script`],
    [{}, 'the field "command" is missing | the call is RUN([program, …]) or RUN({ command: [program, …] })'],
  ])("RUN refuses %j", (given, why) => {
    expect(problem("RUN", given)).toBe(`RUN: ${why}`);
  });

  test("several wrong arguments are several problems", () => {
    expect(problems("RUN", ["a", 1, "b", null])).toEqual([
      ["RUN: [1]: expected a text, got 1", "1"],
      ["RUN: [3]: expected a text, got null", "null"],
    ]);
    for (const name of ["commands", "cmd"])
      expect(problem("RUN", { [name]: ["a"] })).toBe(`RUN: there is no field "${name}" | did you mean command?`);
  });

  test("EXEC of a shell script is not told of SH, which makes no command", () => {
    expect(problem("EXEC", "nginx -g")).toBe(`EXEC: ${whole} "nginx -g" | EXEC(["sh", "-c", "nginx -g"]) runs a shell script`);
    expect(problem("EXEC", " ")).toMatch(/\| the call is EXEC\(/);
  });

  test("SH takes a script of several lines, and none that is empty", () => {
    expect(step("SH", "a\nb")).toMatchObject({ kind: "sh", script: "a\nb" });
    expect(step("SH", { script: "a" })).toMatchObject({ script: "a" });
    expect(problem("SH", "")).toBe('SH: expected a shell script, got "" | the call is SH(script) or SH({ script })');
    expect(problem("SH", ["a"])).toMatch(/^SH: expected a shell script, got \["a"\]/);
    expect(problem("SH", { script: "" })).toBe('SH: script: expected a shell script, got ""');
    expect(problem("SH", "a\0b")).toMatch(/^SH: expected a shell script/);
    expect(problem("SH", { script: "a", shell: "bash" })).toBe('SH: there is no field "shell" | the fields are script');
  });

  test("how they are cached goes into a second argument", () => {
    expect(step("RUN", ["a"], { cache: false })).toMatchObject({ kind: "run", argv: ["a"], cache: false });
    expect(step("SH", { script: "a" }, { cache: true })).toMatchObject({ kind: "sh", script: "a", cache: true });
    expect(step("SH", "a", { cache: undefined })).not.toMatchObject({ cache: expect.anything() });
    expect(step("SH", "a", {})).toEqual(step("SH", "a"));
    expect(problem("SH", "a", { cache: "no" })).toMatch(/^SH: cache: expected true or false, got "no"/);
    expect(problem("RUN", ["a"], { cached: false })).toBe('RUN: there is no field "cached" | did you mean cache?');
    expect(problem("SH", "a", false)).toMatch(/^SH\b.*false/);
    expect(problems("SH", "", { cache: 1 })).toHaveLength(2);
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
    expect(problem("WITH", { Hostname: ["a"] })).toMatch(/^WITH: Hostname takes a host name.*, got \["a"\]$/);
    expect(problem("WITH", { Bind: [7n] })).toMatch(/^WITH: Bind takes SOURCE.*, got "7" \| write "\/7"$/);
  });

  test("several wrong items of one setting are several problems", () => {
    expect(problems("WITH", { Bind: ["srv", "/a", "var"] })).toEqual([
      [expect.stringMatching(/^WITH: Bind takes SOURCE.*, got "srv"$/), "srv"],
      [expect.stringMatching(/^WITH: Bind takes SOURCE.*, got "var"$/), "var"],
    ]);
  });

  test("several wrong settings are several problems", () => {
    expect(problems("WITH", { Boot: "maybe", Nope: 1, Hostname: "web" })).toEqual([
      [expect.stringMatching(/^WITH: Boot takes true or false .*, got "maybe"$/), "maybe"],
      ["WITH: there is no setting Nope", "Nope"],
    ]);
  });

  test.each([
    [undefined, "nothing"],
    ["Boot=yes", '"Boot=yes"'],
    [["Boot"], '["Boot"]'],
    [null, "null"],
    [new Map([["Boot", true]]), "Map(1) { 'Boot' => true }"],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
  ])("%o is no object of settings", (given, shown) => {
    expect(problem("WITH", given)).toBe(`WITH: expected WITH({ Setting: value, … }), got ${shown}`);
  });

  test("each setting has its place, also one that a value belongs to by its readOnly", () => {
    const at = { file: `${folder}/build.ts`, line: 3 };
    const given = step("WITH", { Boot: true, Port: null, Bind: [{ source: "/a", readOnly: true }], Hostname: undefined });
    expect(given).toMatchObject({ entries: [{ name: "Boot" }, { name: "BindReadOnly" }] });
    expect((given as { places: ReadonlyMap<string, unknown> }).places).toEqual(
      new Map(["Boot", "Port", "Bind", "BindReadOnly", "Hostname"].map((name) => [name, at])),
    );
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
    expect(problem("COPY", "etc")).toBe('COPY: expected an absolute path, got "etc" | write "/etc"');
    expect(problem("COPY", { path: "../../etc" })).toBe(
      "COPY: path: \"../../etc\" leads out of the script's folder | move what it names into the script's folder",
    );
    expect(problem("COPY", { source: "a", target: "./b" })).toBe('COPY: target: expected an absolute path, got "./b" | write "/b"');
    expect(problem("CAST", { source: "a", target: "../b" })).toBe('CAST: target: expected an absolute path, got "../b" | write "/b"');
  });

  test("a source outside of the script's folder is refused", () => {
    expect(problem("COPY", { source: "../secret", target: "/x" })).toMatch(/leads out of the script's folder/);
    expect(problem("COPY", { source: "a/../../b", target: "/x" })).toMatch(/leads out/);
    expect(problem("COPY", "/a/../b")).toMatch(/leads out/);
  });

  const both = "path says both source and target: give it alone, or these two";
  test.each([
    [undefined, ["expected a path in the script's folder, got nothing"]],
    [null, ["expected a path in the script's folder, got null"]],
    ["", ['expected a path in the script\'s folder, got ""']],
    [["/a"], ['expected a path in the script\'s folder, got ["/a"]']],
    ["/a\0", ['expected a path in the script\'s folder without NUL characters, got "/a\\u0000"']],
    [{}, ['the field "source" is missing', 'the field "target" is missing']],
    [{ source: "a" }, ['the field "target" is missing']],
    [{ target: "/a" }, ['the field "source" is missing']],
    [{ path: "/a", target: "/b" }, [`target: ${both}`]],
    [{ path: "/a", source: "/b", target: "/b" }, [`source: ${both}`]],
    [{ source: "../a", target: "b" }, ['source: "../a" leads out of the script\'s folder', 'target: expected an absolute path, got "b"']],
    [{ source: "a", target: "/b", mode: "0644" }, ['there is no field "mode"']],
    [{ path: undefined }, ['the field "path" is missing']],
  ])("COPY(%j) is wrong, and so is CAST", (given, why) => {
    for (const keyword of ["COPY", "CAST"] as const)
      expect(problems(keyword, given).map(([message]) => message)).toEqual(why.map((line) => `${keyword}: ${line}`));
  });

  test("CAST takes variables, and none by default", () => {
    expect(step("CAST", "/a", { b: [1] })).toMatchObject({ kind: "cast", variables: { b: [1] } });
    expect(step("CAST", "/a")).toMatchObject({ variables: {} });
    expect(problem("CAST", "/a", "b=1")).toBe('CAST: expected an object with the template\'s variables, got "b=1"');
    expect(problem("CAST", "/a", null)).toBe("CAST: expected an object with the template's variables, got null");
    expect(problem("CAST", "/a", ["b"])).toMatch(/object with the template's variables, got \["b"\]/);
    expect(problem("CAST", "/a", {}, {})).toBe("CAST: takes 2 arguments, got another: {} | options go into one object with the rest");
  });

  test("what is wrong with the path and with the variables is told together", () => {
    expect(problems("CAST", "a", { b: 1n })).toEqual(
      [
        [expect.stringMatching(/^CAST: b: expected what a template can show .*, got 1n$/), undefined],
        ['CAST: expected an absolute path, got "a"', "a"],
      ].toReversed(),
    );
  });
});

describe("BOOTSTRAP", () => {
  test("what is given stays, what is not is absent", () => {
    const spec = { distribution: "debian", release: "bookworm", packages: ["nginx-light", "libstdc++6"] };
    expect(step("BOOTSTRAP", spec)).toMatchObject({ kind: "bootstrap", bootstrap: spec });
    expect(Object.keys((step("BOOTSTRAP", spec) as { bootstrap: object }).bootstrap)).toEqual(["distribution", "release", "packages"]);
  });

  const names = "a name of letters, digits and + . : ~ _ -";
  test.each([
    [{ distribution: "arch", release: "x" }, 'distribution: expected one of debian, ubuntu, got "arch"'],
    [{ distribution: "debain", release: "x" }, 'distribution: expected one of debian, ubuntu, got "debain" | did you mean debian?'],
    [
      { distribution: "debian" },
      'the field "release" is missing | the call is BOOTSTRAP({ distribution, release, packages?, mirror?, components?, variant? })',
    ],
    [{ distribution: "debian", release: "--hook=rm" }, `release: expected ${names}, got "--hook=rm"`],
    [{ distribution: "debian", release: "sid", packages: ["a", "b,c"] }, `packages[1]: expected ${names}, got "b,c"`],
    [{ distribution: "debian", release: "sid", packages: "nginx" }, 'packages: expected a list of package names, got "nginx"'],
    [{ distribution: "debian", release: "sid", components: ["main contrib"] }, `components[0]: expected ${names}, got "main contrib"`],
    [
      { distribution: "debian", release: "sid", mirror: "mirror.example" },
      'mirror: expected an http:, https: or file: URL, got "mirror.example"',
    ],
    [{ distribution: "debian", release: "sid", mirror: "deb https://example.org x" }, /^mirror: expected an http:/],
    [{ distribution: "debian", release: "sid", variant: "huge" }, /^variant: expected one of apt, essential, .*, got "huge"$/],
    [{ distribution: "debian", release: "sid", package: [] }, 'there is no field "package" | did you mean packages?'],
    ["debian", /^expected BOOTSTRAP\(\{.*\}\), got "debian"$/],
    [undefined, /^expected BOOTSTRAP\(\{.*\}\), got nothing$/],
  ])("BOOTSTRAP(%j) is refused", (given, why) => {
    const shown = problem("BOOTSTRAP", given).slice("BOOTSTRAP: ".length);
    if (typeof why === "string") expect(shown).toBe(why);
    else expect(shown).toMatch(why);
  });

  test("a mirror with a login is refused, and the login is in no message", () => {
    const [[message, near] = []] = problems("BOOTSTRAP", {
      distribution: "debian",
      release: "bookworm",
      mirror: "https://user:sec-ret@mirror.example.org/debian",
    });
    expect(message).toMatch(/^BOOTSTRAP: mirror: the URL has a login in it/);
    expect(`${message}${near}`).not.toContain("sec-ret");
  });

  test("all that is wrong with one call is told at once", () => {
    const given = { distribution: "debain", packages: ["ok", "a b", 7], mirror: "x", variant: "min", extra: 1 };
    expect(problems("BOOTSTRAP", given)).toEqual([
      ['BOOTSTRAP: there is no field "extra"', "extra"],
      ['BOOTSTRAP: distribution: expected one of debian, ubuntu, got "debain"', "debain"],
      ['BOOTSTRAP: the field "release" is missing', "BOOTSTRAP"],
      [`BOOTSTRAP: packages[1]: expected ${names}, got "a b"`, "a b"],
      [`BOOTSTRAP: packages[2]: expected ${names}, got 7`, "7"],
      ['BOOTSTRAP: mirror: expected an http:, https: or file: URL, got "x"', "x"],
      [expect.stringMatching(/^BOOTSTRAP: variant: expected one of .*, got "min"$/), "min"],
    ]);
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

  const line = "expected one line of a unit such as CPUQuota=50%, got";
  test.each([
    ["a b", /^"a b" is no machine name: .* \| write "a-b"$/],
    ["-Web_Server-", /\| write "web-server"$/],
    ["–", /\| the call is MACHINE\(name\)/],
    [{ name: "web-" }, /^name: "web-" is no machine name/],
    [{ name: "x".repeat(65) }, /^name: the machine name .* is longer than 64/],
    [{ name: "web", state: "kept" }, 'state: expected one of volatile, keep, got "kept"'],
    [{ name: "web", serviceConf: ["CPUQuota"] }, `serviceConf[0]: ${line} "CPUQuota"`],
    [{ name: "web", serviceConf: ["A=1\n[Install]"] }, `serviceConf[0]: ${line} "A=1\\n[Install]"`],
    [{ name: "web", unitConf: ["A=1", "B=1\rC=2"] }, `unitConf[1]: ${line} "B=1\\rC=2"`],
    [{ name: "web", installConf: ["# comment"] }, `installConf[0]: ${line} "# comment"`],
    [{ name: "web", serviceConf: "CPUQuota=50%" }, 'serviceConf: expected a list of lines of a unit, got "CPUQuota=50%"'],
    [{ name: "web", template: "../x.service" }, /^template: "\.\.\/x\.service" leads out of the script's folder/],
    [{ name: "web", template: 7 }, "template: expected a path in the script's folder, got 7"],
    [{ name: "web", units: [] }, /^there is no field "units" \| the fields are name, template, unitConf/],
    [{ name: "web", unitconf: [] }, 'there is no field "unitconf" | did you mean unitConf?'],
    [{ state: "keep" }, /^the field "name" is missing \| the call is MACHINE\(name\) or MACHINE\(\{ name, /],
    [undefined, /^expected a machine name, got nothing/],
    ["", /^expected a machine name, got ""/],
  ])("MACHINE(%j) is refused", (given, why) => {
    const shown = problem("MACHINE", given).slice("MACHINE: ".length);
    if (typeof why === "string") expect(shown).toBe(why);
    else expect(shown).toMatch(why);
  });

  test("a line that ends in a backslash would swallow the line after it, and is refused", () => {
    expect(problem("MACHINE", { name: "web", serviceConf: ["Environment=A=1\\"] })).toBe(
      `MACHINE: serviceConf[0]: ${line} "Environment=A=1\\\\"`,
    );
  });

  test("all that is wrong with one call is told at once", () => {
    expect(problems("MACHINE", { nmae: "web", state: "kept", unitConf: ["x", "A=1", 5], serviceConf: null })).toEqual([
      ['MACHINE: there is no field "nmae"', "nmae"],
      [`MACHINE: unitConf[0]: ${line} "x"`, "x"],
      [`MACHINE: unitConf[2]: ${line} 5`, "5"],
      ["MACHINE: serviceConf: expected a list of lines of a unit, got null", "null"],
      ['MACHINE: state: expected one of volatile, keep, got "kept"', "kept"],
    ]);
  });
});

describe("FETCH", () => {
  const url = "https://h/tool-1.2.tar.xz";
  const archive = { written: url, url, scheme: "https" };
  const digest = `sha256:${"0a".repeat(32)}`;

  test.each([
    [
      { url, path: "/usr/bin/tool" },
      { source: "/usr/bin/tool", target: "/usr/bin/tool", digest: undefined },
    ],
    [
      { url, path: "/" },
      { source: "/", target: "/" },
    ],
    [
      { url, path: "/opt/" },
      { source: "/opt", target: "/opt/" },
    ],
    [
      { url, path: "/opt", digest },
      { source: "/opt", target: "/opt", digest },
    ],
    [
      { url, source: "tool-1.2/bin/tool", target: "/usr/local/bin/tool" },
      { source: "/tool-1.2/bin/tool", target: "/usr/local/bin/tool" },
    ],
    [
      { url, source: "./tool//bin/.", target: "/usr//./x/../y", digest },
      { source: "/tool/bin", target: "/usr/y", digest },
    ],
    [
      { url, source: "/", target: "/opt/tool" },
      { source: "/", target: "/opt/tool" },
    ],
    [
      { url, source: "a b/ö", target: "/opt" },
      { source: "/a b/ö", target: "/opt" },
    ],
  ])("FETCH(%j) is taken", (given, fields) => {
    expect(step("FETCH", given)).toMatchObject({ kind: "fetch", archive, ...fields });
  });

  const forms = "FETCH({ url, path, digest? }) or FETCH({ url, source, target, digest? })";
  test.each([
    [undefined, [`expected ${forms}, got nothing`]],
    [url, [`expected ${forms}, got "${url}"`]],
    [[url], [`expected ${forms}, got ["${url}"]`]],
    [{ url }, ['the field "source" is missing', 'the field "target" is missing']],
    [{ url, source: "/a" }, ['the field "target" is missing']],
    [{ url, target: "/a" }, ['the field "source" is missing']],
    [{ path: "/a" }, ['the field "url" is missing']],
    [{ url, path: "/a", target: "/b" }, ["target: path says both source and target: give it alone, or these two"]],
    [{ url, path: "/a", source: "/a", target: "/b" }, ["source: path says both source and target: give it alone, or these two"]],
    [{ url, path: "a" }, ['path: expected an absolute path, got "a"']],
    [{ url, path: "/a/../../b" }, ['path: "/a/../../b" leads out of the archive']],
    [{ url, source: "../a", target: "/a" }, ['source: "../a" leads out of the archive']],
    [{ url, source: "", target: "/a" }, ['source: expected a path in the archive, got ""']],
    [{ url, source: "/a", target: "a" }, ['target: expected an absolute path, got "a"']],
    [{ url, source: "/a", target: "/a", mode: 7 }, ['there is no field "mode"']],
    [{ url: "tool.tar.xz", path: "/a" }, ['url: "tool.tar.xz" is no URL']],
    [{ url: 7, path: "/a" }, ["url: expected a URL, got 7"]],
    [{ url: "https://user:secret@h/a.tar", path: "/a" }, ["url: a URL with a login in it would end up in images and logs"]],
    [{ url, path: "/a", digest: "sha256:0" }, ['digest: expected sha256: and 64 hexadecimal digits, got "sha256:0"']],
    [
      { url: "x", source: "../a", target: "b", digest: 1, extra: 1 },
      [
        'there is no field "extra"',
        'url: "x" is no URL',
        "digest: expected sha256: and 64 hexadecimal digits, got 1",
        'source: "../a" leads out of the archive',
        'target: expected an absolute path, got "b"',
      ],
    ],
  ])("FETCH(%j) is refused", (given, why) => {
    expect(problems("FETCH", given).map(([message]) => message)).toEqual(why.map((text) => `FETCH: ${text}`));
  });

  test("hints say what would be right", () => {
    expect(problem("FETCH", { url, source: "../a", target: "/a" })).toMatch(/\| name a file or a folder in it, or \/ for all of it$/);
    expect(problem("FETCH", { url, path: "opt" })).toMatch(/\| write "\/opt"$/);
    expect(problem("FETCH", { url, source: "/a" })).toContain(`| the call is ${forms}`);
    expect(problem("FETCH", { url, path: "/a", digst: digest })).toMatch(/\| did you mean digest\?$/);
    expect(problem("FETCH", { url, path: "/a" }, "/b")).toMatch(/^FETCH: takes one argument, got another: "\/b"/);
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
    expect(problems.map(({ message }) => message).join()).toBe("IMAGE: grant: grant belongs to the IMAGE of setup scripts");
  });
});
