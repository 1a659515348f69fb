import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { ConfigError, UsageError } from "../../src/base/errors.js";
import type { Config } from "../../src/config/config.js";
import { type LoadedConfig, loadConfig } from "../../src/config/load.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

let folder: string;
beforeEach(() => {
  folder = tempFolder();
});

/** Loads files with these texts, in their order, and nothing of this host. */
function load(
  files: readonly string[],
  more: { readonly environment?: Readonly<Record<string, string>>; readonly overrides?: readonly string[] } = {},
): LoadedConfig {
  const paths = files.map((text, index) => {
    writeFiles(folder, { [`${index + 1}.ini`]: text });
    chmodSync(join(folder, `${index + 1}.ini`), 0o600);
    return join(folder, `${index + 1}.ini`);
  });
  return loadConfig({
    environment: { HOME: "/root", NSPAWN_CONFIG_PATH_LIST: [...paths, join(folder, "none.ini")].join("\n"), ...more.environment },
    overrides: more.overrides ?? [],
  });
}

const configOf = (...args: Parameters<typeof load>): Config => load(...args).config;

function problems(...args: Parameters<typeof load>): readonly string[] {
  try {
    load(...args);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.exitCode).toBe(2);
    return error.message.replaceAll(`${folder}/`, "").split("\n");
  }
  throw new Error("nothing was wrong");
}

test("a wrong $ in a password is told without any part of it", () => {
  const [message, ...more] = problems(["[auth/images.example.org]\ntype = basic\nusername = me\npassword = pa$Tail99\n"]);
  expect(more).toEqual([]);
  expect(message).toBe(
    "1.ini:4: auth/images.example.org/password cannot be read: a $ in it names no variable of the environment; a $ itself is written $$",
  );
  expect(problems(["[proxy]\nproxy_config_text = http_proxy = http://me:pa$Tail99@proxy.example.org\n"]).join()).not.toContain("Tail99");
});

describe("defaults", () => {
  test("are those of the store and the shell", () => {
    const config = configOf([]);
    expect(config.storage).toEqual({
      root: "/var/lib/nspawn",
      extract: "/var/lib/nspawn/extract",
      runtime: "/var/lib/nspawn/runtime",
      tempdir: "/var/lib/nspawn/tempdir",
      keepArchives: false,
      extractLimit: 100 * 2 ** 30,
      extractMembers: 2_000_000,
    });
    expect(config.build).toEqual({
      shellInvoke: ["/usr/bin/env", "sh", "-e", "-c", "{script}"],
      preserveBuildDir: false,
      cacheSize: 20 * 2 ** 30,
      cacheAge: 30,
    });
    expect(config.machine).toEqual({
      template: undefined,
      useBindStub: true,
      overlayfsMountOpts: [],
      trustList: ["file:"],
      keepGenerations: 3,
      settleTime: 0.3,
      readyTimeout: 90,
    });
    expect(config.network).toMatchObject({ checkTimeout: 3, connectTimeout: 15, readTimeout: 60 });
    expect(config.logging.level).toBe("info");
    expect(config.auth.size).toBe(0);
  });

  test("name the files below /etc and the home folder", () => {
    expect(loadConfig({ environment: {} }).config.config.pathList).toEqual([
      "/etc/nspawn/config.d",
      "/etc/nspawn/config.ini",
      `${homedir()}/.nspawn/config.ini`,
      `${homedir()}/.config/nspawn/config.ini`,
    ]);
  });
});

describe("the order", () => {
  const low = "[storage]\nroot = /low\n[network]\ncheck_timeout = 7\n";

  test("a later file overrides an earlier one, key by key", () => {
    const config = configOf([low, "[storage]\nroot = /high\n"]);
    expect(config.storage.extract).toBe("/high/extract");
    expect(config.network.checkTimeout).toBe(7);
  });

  test("the environment overrides files, and --config the environment", () => {
    const environment = { NSPAWN_STORAGE_ROOT: "/env" };
    expect(configOf([low], { environment }).storage).toMatchObject({ root: "/env", runtime: "/env/runtime" });
    const overrides = ["[storage]root=/first", "[storage]root=/last", "[storage]extract = ${root}/x"];
    expect(configOf([low], { environment, overrides }).storage).toMatchObject({ root: "/last", extract: "/last/x" });
  });

  test("a variable is taken as it is, and an empty or unknown one does not count", () => {
    const environment = { NSPAWN_STORAGE_ROOT: "/a$b", NSPAWN_STORAGE_EXTRACT: "", NSPAWN_BUILD_EPOCH: "5", NSPAWN_NONSENSE: "x" };
    expect(configOf([], { environment }).storage).toMatchObject({ root: "/a$b", extract: "/a$b/extract" });
  });

  test("a relative path starts at the working directory", () => {
    expect(configOf([], { environment: { NSPAWN_STORAGE_ROOT: "store" } }).storage.root).toBe(join(process.cwd(), "store"));
  });

  test("the list of files in --config comes before the one of the environment", () => {
    writeFiles(folder, { "other.ini": "[storage]\nroot = /other" });
    const overrides = [`[config]path_list=${folder}/other.ini`];
    expect(configOf([low], { overrides }).storage.root).toBe("/other");
  });

  test("a list in one value has its items on lines", () => {
    const overrides = ["[build]shell_invoke=/bin/bash\n-c"];
    expect(configOf([], { overrides }).build.shellInvoke).toEqual(["/bin/bash", "-c"]);
  });
});

describe("what is wrong", () => {
  test("is told all at once, with file and line, and the nearest name", () => {
    const text = "[storage]\nrot = /x\n[bild]\na = b\n[network]\ncheck_timeout = soon\nx y z\n[nothing]\n";
    expect(problems([text])).toEqual([
      "1.ini:2: [storage] has no key rot; did you mean root?",
      "1.ini:4: there is no section [bild]; did you mean build?",
      '1.ini:6: network/check_timeout is a number of seconds, more than 0 and at most 86400, not "soon"',
      '1.ini:7: "x y z" is neither [section] nor key = value',
      "1.ini:8: there is no section [nothing]; it is one of main, config, logging, storage, build, proxy, network, machine, hatch, hatch/image-server, hatch/image-syncer, hatch/image-proxy",
    ]);
  });

  test.each([
    ["[storage]\nroot = /a\nroot = /b", "1.ini:3: storage/root is given twice, first in line 2"],
    ["[main]\ntrace_error = ${storage:nope}", "1.ini:2: main/trace_error cannot be read: ${storage:nope} is not set anywhere"],
    [
      "[storage]\nroot = ${extract}",
      "1.ini:2: storage/root cannot be read: the value refers to itself: storage:root → storage:extract → storage:root",
    ],
    [
      "[storage]\n\nroot = $NO_SUCH_VARIABLE",
      "1.ini:3: storage/root cannot be read: the environment has no variable NO_SUCH_VARIABLE; a $ itself is written $$",
    ],
    [
      "[storage]\nconstructor = 1",
      "1.ini:2: [storage] has no key constructor; it is one of root, extract, runtime, tempdir, keep_archives, extract_limit, extract_members",
    ],
    [
      "[toString]\na = 1",
      "1.ini:2: there is no section [toString]; it is one of main, config, logging, storage, build, proxy, network, machine, hatch, hatch/image-server, hatch/image-syncer, hatch/image-proxy",
    ],
    ["[auth]\ntype = basic", "1.ini:2: [auth] names no host; it is [auth/images.example.org], and a port is the key port in it"],
    ["[auth/h:80]\ntype = basic", "1.ini:2: [auth/h:80] names no host; it is [auth/images.example.org], and a port is the key port in it"],
  ])("%j", (text, message) => {
    expect(problems([text])).toEqual([message]);
  });

  test("a path in a file is absolute: whoever reads it stands elsewhere each time", () => {
    expect(problems(["[machine]\ntemplate = t.service\n[storage]\nroot = ${runtime}/x\nruntime = rel"])).toEqual([
      '1.ini:2: machine/template is an absolute path, not "t.service"',
      '1.ini:5: storage/runtime is an absolute path, not "rel"',
    ]);
    expect(problems(['[storage]\nroot = "/a"'])).toEqual(['1.ini:2: storage/root is a path without quotes, not "/a"']);
  });

  test("problems of a file come in the order of its lines", () => {
    expect(
      problems(["[main]\ntrace_error = perhaps\nnope = 1\n[network]\ncheck_timeout = 0\nnope = 1"]).map((text) => text.slice(0, 7)),
    ).toEqual(["1.ini:2", "1.ini:3", "1.ini:5", "1.ini:6"]);
  });

  test("a file that is no text in UTF-8 is told, and a mark of other systems' editors is none of it", () => {
    writeFileSync(join(folder, "latin.ini"), Buffer.from("[storage]\nroot = /caf\xe9\n", "latin1"));
    const overrides = (name: string): readonly string[] => [`[config]path_list=${folder}/${name}`];
    expect(problems([], { overrides: overrides("latin.ini") })).toEqual(["latin.ini: is no text in UTF-8"]);
    writeFileSync(join(folder, "mark.ini"), "\ufeff[storage]\nroot = /a\n");
    expect(configOf([], { overrides: overrides("mark.ini") }).storage.root).toBe("/a");
  });

  test("a variable that is nearly one gets a word, and others none", () => {
    const environment = { NSPAWN_STORAGE_ROT: "/x", NSPAWN_BUILD_EPOCH: "5", NSPAWN_NONSENSE: "x", NSPAWN_TEST_RELEASE: "trixie" };
    expect(loadConfig({ environment: { ...environment, HOME: "/root", NSPAWN_CONFIG_PATH_LIST: "/nowhere" } }).warnings).toEqual([
      "the variable NSPAWN_STORAGE_ROT is no key of the configuration, and means nothing; did you mean NSPAWN_STORAGE_ROOT?",
    ]);
  });

  test("a variable and an option are named", () => {
    expect(
      problems([], { environment: { NSPAWN_MACHINE_USE_BIND_STUB: "perhaps" }, overrides: ["[nope]a=b", "[network]check_timeout=0"] }),
    ).toEqual([
      "--config '[nope]a': there is no section [nope]; it is one of main, config, logging, storage, build, proxy, network, machine, hatch, hatch/image-server, hatch/image-syncer, hatch/image-proxy",
      "--config '[network]check_timeout': network/check_timeout is a number of seconds, more than 0 and at most 86400, not \"0\"",
      'NSPAWN_MACHINE_USE_BIND_STUB: machine/use_bind_stub is yes or no, not "perhaps"',
    ]);
  });

  test.each(["storage/root=/x", "[storage]root", "[]a=b", "[a]=b", "root=/x"])("the option --config %j is no such thing", (override) => {
    expect(() => load([], { overrides: [override] })).toThrow(UsageError);
    expect(() => load([], { overrides: [override] })).toThrow(/^--config is '\[section\]key=value', not "/);
  });

  test("a malformed option does not tell the secret in it", () => {
    expect(() => load([], { overrides: ["auth/h]password=hunter2"] })).toThrow(/^(?!.*hunter2)/s);
  });

  test("of a folder the files *.ini are read, in the order of their names", () => {
    mkdirSync(join(folder, "1.ini"));
    for (const [name, value] of [
      ["b.ini", "/b"],
      ["a.ini", "/a"],
      ["c.conf", "/c"],
    ] as const)
      writeFileSync(join(folder, "1.ini", name), `[machine]\ntemplate = ${value}\n`);
    const environment = { NSPAWN_CONFIG_PATH_LIST: `${folder}/1.ini` };
    expect(loadConfig({ environment }).config.machine.template).toBe("/b");
  });

  test("a file that cannot be read is told; one that is not there is not", () => {
    mkdirSync(join(folder, "1.ini/a.ini"), { recursive: true });
    const environment = { NSPAWN_CONFIG_PATH_LIST: `${folder}/1.ini` };
    expect(problems([], { environment })).toEqual([expect.stringMatching(/^1\.ini\/a\.ini: cannot be read: EISDIR/)]);
  });
});

describe("warnings", () => {
  test("what the Python tool had is told with the reason, and can still be referred to", () => {
    const text =
      "[hatcher/image-server]\nmachine_name = hub\n[wrapper/tar]\nbinary = tar\n[build]\nbuild_space = x\n[machine]\ntemplate = /x/${hatcher/image-server:machine_name}\n";
    const { config, warnings } = load([text]);
    expect(config.machine.template).toBe("/x/hub");
    expect(warnings.map((warning) => warning.replaceAll(`${folder}/`, ""))).toEqual([
      "1.ini:2: hatcher/image-server/machine_name has no meaning any more: services have sections of their own, such as [hatch/image-server]",
      "1.ini:4: wrapper/tar/binary has no meaning any more: programs are found in PATH and called with fixed options",
      "1.ini:6: build/build_space has no meaning any more: builds work in storage/tempdir",
    ]);
  });

  test("a list of files in a file comes too late", () => {
    expect(load(["[config]\npath_list = /x"]).warnings).toEqual([
      `${folder}/1.ini:2: config/path_list has no effect in a file; set NSPAWN_CONFIG_PATH_LIST or give it in --config`,
    ]);
  });

  test.each([
    ["[auth/h]\ntype = token\ntoken = t", 0o640, true],
    ["[auth/h]\ntype = token\ntoken = t", 0o604, true],
    ["[auth/h]\ntype = token\ntoken = t", 0o600, false],
    ["[proxy]\nproxy_config_text =\n  http_proxy = http://u:p@proxy", 0o644, true],
    ["[proxy]\nproxy_config_text = http_proxy = http://proxy", 0o644, false],
    ["[auth/h]\nhost = other", 0o644, false],
  ])("%j with mode %o that others can read: %s", (text, mode, expected) => {
    load([""]);
    writeFiles(folder, { "login.ini": text });
    chmodSync(join(folder, "login.ini"), mode);
    const { warnings } = loadConfig({ environment: { NSPAWN_CONFIG_PATH_LIST: join(folder, "login.ini") } });
    expect(warnings).toEqual(
      expected ? [`${folder}/login.ini holds a login and can be read by other users: chmod 600 ${folder}/login.ini`] : [],
    );
  });

  test("a login on the command line", () => {
    const { warnings } = load([], { overrides: ["[auth/h]type=token", "[auth/h]token=hunter2"] });
    expect(warnings).toEqual([expect.stringMatching(/^--config '\[auth\/h\]token': all users of this host can see/)]);
    expect(warnings.join()).not.toContain("hunter2");
  });
});

describe("auth", () => {
  const plain = { host: undefined, port: undefined, login: { kind: "empty" }, trust: { kind: "system" } };

  test("is by the host's name, in lower case", () => {
    const text = [
      "[auth/Images.Example.org]\ntype = basic\nusername = u\npassword = p$$w",
      "[auth/hub]\ntype = token\ntoken = $HUB\nhost = 10.0.0.7\nport = 8443",
      "[auth/[::1]]\nhost = a",
      "[auth/plain]\nport = 8080",
      "[auth/own]\nca_file = /etc/ca.pem",
      "[auth/open]\ninsecure = yes",
    ].join("\n");
    expect(Object.fromEntries(configOf([text.replace("[auth/[::1]]\nhost = a\n", "")], { environment: { HUB: "t" } }).auth)).toEqual({
      "images.example.org": { ...plain, login: { kind: "basic", username: "u", password: "p$w" } },
      hub: { ...plain, host: "10.0.0.7", port: 8443, login: { kind: "token", token: "t" } },
      plain: { ...plain, port: 8080 },
      own: { ...plain, trust: { kind: "ca", file: "/etc/ca.pem", at: expect.stringMatching(/\/1\.ini:13$/) } },
      open: { ...plain, trust: { kind: "insecure" } },
    });
  });

  test.each([
    ["type = basic\nusername = u", "[auth/h] has no password, which type = basic needs"],
    ["username = u\npassword = p", "[auth/h] has username and password, which type = empty does not use"],
    ["type = token\ntoken = hunter2\npassword = p", "[auth/h] has password, which type = token does not use"],
    ["type = token\ntoken = hunter2 x", "[auth/h] has a token with characters that no header can have"],
    ["type = token\ntoken = hunter2é", "[auth/h] has a token with characters that no header can have"],
    ["type = basic\nusername = a:b\npassword = hunter2", "[auth/h] has a username with a colon, which ends it"],
    ["type = basic\nusername = u\npassword = hunter2\n  x", "[auth/h] has a username or password with control characters"],
    ["ca_file = /ca.pem\ninsecure = yes", "[auth/h] has a ca_file, which insecure = yes makes useless"],
    ["host = a:80", "[auth/h] has a host that is no name of a host; a port is the key port"],
  ])("%j is wrong, and no secret is told", (text, message) => {
    const told = problems([`[auth/h]\n${text}`]);
    expect(told).toEqual([`1.ini:2: ${message}`]);
    expect(told.join()).not.toContain("hunter2");
  });

  test("a reference that is wrong is told once", () => {
    expect(problems(["[auth/h]\ntype = token\ntoken = $NO_SUCH_TOKEN"])).toEqual([
      "1.ini:3: auth/h/token cannot be read: a $ in it names no variable of the environment; a $ itself is written $$",
    ]);
  });
});
