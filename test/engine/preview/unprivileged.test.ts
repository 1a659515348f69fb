import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalHost } from "../../../src/host/local.js";
import { pull } from "../../../src/image/pull.js";
import { ImageStore } from "../../../src/image/store.js";
import { Transports } from "../../../src/transport/transports.js";
import { makeImage, ref } from "../../support/archive.js";
import { type Cli, compileCli } from "../../support/cli.js";
import { testConfig } from "../../support/config.js";
import { writeFiles } from "../../support/files.js";
import { makeTempFolder, removeFolder } from "../../support/temp.js";

let folder: string;
let cli: Cli;

// Layers belong to root, so only root can set this up, and anybody else fails; --plan is then asked by somebody else.
describe("--plan without rights", () => {
  beforeAll(async () => {
    folder = makeTempFolder();
    cli = compileCli(join(folder, "package"));
    makeImage(join(folder, "base.tar.gz"), { settings: [{ name: "Hostname", value: "base" }], files: { "etc/shadow": "secret" } });
    makeImage(join(folder, "top.tar.gz"), { parents: [`file://${folder}/base.tar.gz`], command: ["top"] });
    makeImage(join(folder, "new.tar.gz"), { parents: [`file://${folder}/top.tar.gz`] });
    const host = new LocalHost();
    const config = testConfig(join(folder, "store"));
    const report = (): void => undefined;
    const context = {
      host,
      config,
      report,
      store: await ImageStore.open(config.storage, host, report),
      transports: new Transports(config, {}, report, host.interrupted),
    };
    for (const name of ["base", "top"]) await pull(context, ref(`file://${folder}/${name}.tar.gz`));
    writeFiles(folder, {
      "build.ts": `import { IMAGE, PULL, SH } from "nspawn/build";\nIMAGE("file:///srv/web.tar.zst");\nPULL("file://${folder}/new.tar.gz");\nSH("true");\n`,
      "setup.ts": `import { IMAGE, MACHINE } from "nspawn/setup";\nIMAGE("file://${folder}/new.tar.gz");\nMACHINE("nspawn-test-no-such-machine");\n`,
    });
    execFileSync("chmod", ["-R", "go+rX", "--", ...["build.ts", "setup.ts", "package"].map((name) => join(folder, name))]);
    chmodSync(folder, 0o755);
  });
  afterAll(() => removeFolder(folder));

  /** Runs as nobody, who has no home, no groups and no capabilities. */
  function asNobody(...argv: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    const rights = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--no-new-privs"];
    const env = { PATH: process.env.PATH, HOME: "/nonexistent", NSPAWN_STORAGE_ROOT: join(folder, "store"), NO_COLOR: "1" };
    const [program = "", ...args] = ["setpriv", ...rights, "--", ...argv];
    return spawnSync(program, args, { cwd: "/", env, encoding: "utf8" });
  }

  function plan(kind: "build" | "setup"): Readonly<Record<string, unknown>> {
    const { status, stdout, stderr } = asNobody(join(cli.dist, `cli/nspawn-${kind}.cjs`), join(folder, `${kind}.ts`), "--plan", "--json");
    expect(status, stdout + stderr).toBe(0);
    const lines = stdout.split("\n").filter((line) => line !== "");
    const objects = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    return objects.find((fields) => Object.hasOwn(fields, "images")) ?? expect.fail(stdout);
  }

  test("records and descriptions of layers can be read, layers cannot", () => {
    expect(asNobody("ls", join(folder, "store/layer")).stdout.trim().split("\n")).toHaveLength(2);
    expect(asNobody("cat", ...asNobody("find", join(folder, "store/record"), "-name", "@.json").stdout.trim().split("\n")).status).toBe(0);
    expect(asNobody("ls", join(folder, "store/extract"))).toMatchObject({ status: 2, stdout: "" });
    expect(asNobody("find", join(folder, "store/extract"), "-name", "shadow").stdout).not.toContain("shadow");
    for (const name of ["extract", "tempdir", "runtime"]) expect(statSync(join(folder, "store", name)).mode & 0o077).toBe(0);
  });

  const images = [
    { url: "new", state: "new", parents: ["top"] },
    { url: "top", state: "stored", parents: ["base"] },
    { url: "base", state: "stored", parents: [] },
  ];

  test.each(["build", "setup"] as const)("%s: what the store has is known, with digests and parents", (kind) => {
    const url = (name: string): string => `file://${folder}/${name}.tar.gz`;
    const shown = plan(kind);
    expect(shown.images).toMatchObject(images.map((image) => ({ ...image, url: url(image.url), parents: image.parents.map(url) })));
    expect((shown.images as readonly { digest?: string }[]).map(({ digest }) => digest?.slice(0, 7))).toEqual([
      undefined,
      "sha256:",
      "sha256:",
    ]);
  });

  test("setup: settings and command of images that only the store has, and the unit", () => {
    const shown = plan("setup");
    expect(shown.settings).toEqual([{ name: "Hostname", value: "base", origin: `file://${folder}/base.tar.gz` }]);
    expect(shown.command).toEqual({ argv: ["top"], origin: `file://${folder}/top.tar.gz` });
    expect(shown.unit).toMatchObject({ change: "new", planned: expect.stringContaining("--hostname=base") });
  });

  test("a store that may not even be looked into counts as empty, with a warning that names it", () => {
    mkdirSync(join(folder, "closed"), { mode: 0o700 });
    symlinkSync(join(folder, "store"), join(folder, "closed/store"));
    const argv = [join(cli.dist, "cli/nspawn-build.cjs"), join(folder, "build.ts"), "--plan"];
    const { status, stdout, stderr } = asNobody("env", `NSPAWN_STORAGE_ROOT=${join(folder, "closed/store")}`, ...argv);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^warning: the store .*closed\/store is closed to this user/)]);
    expect(stdout).toContain("will be pulled");
  });
});
