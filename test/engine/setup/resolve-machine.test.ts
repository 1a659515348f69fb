import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { resolveMachine } from "../../../src/engine/setup/resolve-machine.js";
import { LocalHost } from "../../../src/host/local.js";
import { pull } from "../../../src/image/pull.js";
import { ImageStore } from "../../../src/image/store.js";
import type { Machine } from "../../../src/machine/unit.js";
import type { SetupPlan } from "../../../src/plan/setup-plan.js";
import type { SettingName } from "../../../src/settings/catalog.js";
import type { SettingEntry } from "../../../src/settings/value.js";
import { Transports } from "../../../src/transport/transports.js";
import { type ImageSpec, makeImage, ref, storeContext } from "../../support/archive.js";
import { testConfig } from "../../support/config.js";
import { replaceSync } from "../../support/replace-sync.js";
import { serve } from "../../support/server.js";
import { tempFolder } from "../../support/temp.js";

let folder: string;
/** Where the folder is served over HTTP, from elsewhere so to speak. */
let http: string;

beforeEach(async () => {
  folder = tempFolder();
  http = await serve((request, response) => {
    const bytes = readFileSync(join(folder, request.url ?? ""));
    response.writeHead(200, { "content-length": String(bytes.length), etag: String(bytes.length) }).end(bytes);
  });
});

const image = (name: string, spec: ImageSpec): void => void makeImage(join(folder, `${name}.tar.gz`), spec);
const line = (number: number) => ({ file: "/srv/setup.ts", line: number });
const entry = (line: string): SettingEntry => ({
  name: line.slice(0, line.indexOf("=")) as SettingName,
  value: line.slice(line.indexOf("=") + 1),
});

async function resolve(
  url: string,
  own: { readonly settings?: readonly string[]; readonly grant?: readonly SettingName[]; readonly command?: readonly string[] } = {},
): Promise<Machine> {
  const plan: SetupPlan = {
    script: "/srv/setup.ts",
    folder: "/srv",
    image: ref(url),
    grant: own.grant ?? [],
    machine: { name: "web", template: undefined, unitConf: [], serviceConf: [], installConf: [], state: "volatile" },
    settings: { origin: "/srv/setup.ts", removed: [], entries: (own.settings ?? []).map((text) => ({ ...entry(text), at: line(4) })) },
    places: new Map(),
    lines: { image: line(1), machine: line(2), exec: own.command && line(3) },
    command: own.command,
    work: [],
  };
  const config = testConfig(join(folder, "store"));
  const host = new LocalHost();
  const report = (): void => undefined;
  const store = await ImageStore.open(config.storage, host, report);
  return resolveMachine({ host, config, report, store, transports: new Transports(config, {}, report, host.interrupted) }, plan);
}

const shown = ({ settings }: Machine): readonly string[] => settings.map(({ name, value }) => `${name}=${value}`);

describe("settings of a machine", () => {
  test("lists add up from the farthest ancestor, single values and the command are the nearest", async () => {
    image("base", { settings: [entry("Hostname=base"), entry("Environment=A=base")], command: ["base"] });
    image("left", { parents: [`file://${folder}/base.tar.gz`], settings: [entry("Environment=B=left")], command: ["left"] });
    image("right", { parents: [`file://${folder}/base.tar.gz`], settings: [entry("Hostname=right"), entry("Environment=A=right")] });
    image("top", { parents: [`file://${folder}/left.tar.gz`, `file://${folder}/right.tar.gz`], settings: [entry("Environment=C=top")] });
    const machine = await resolve(`file://${folder}/top.tar.gz`, { settings: ["Environment=D=script"] });
    expect(shown(machine)).toEqual([
      "Environment=B=left",
      "Hostname=right",
      "Environment=A=right",
      "Environment=C=top",
      "Environment=D=script",
    ]);
    expect(machine.command).toEqual({ argv: ["left"], origin: `file://${folder}/left.tar.gz` });
    expect((await resolve(`file://${folder}/top.tar.gz`, { command: ["own"] })).command).toEqual({
      argv: ["own"],
      origin: "/srv/setup.ts",
      at: line(3),
    });
  });

  test("an image takes away what its parents have set", async () => {
    image("base", { settings: [entry("Environment=A=1"), entry("Bind=/a")] });
    image("top", { parents: [`file://${folder}/base.tar.gz`], removed: ["Bind"] });
    expect(shown(await resolve(`file://${folder}/top.tar.gz`))).toEqual(["Environment=A=1"]);
  });
});

describe("settings that open the host", () => {
  test("an image of this host may set them", async () => {
    image("a", { settings: [entry("Bind=/etc")] });
    expect(shown(await resolve(`file://${folder}/a.tar.gz`))).toEqual(["Bind=/etc"]);
  });

  test("an image from elsewhere may not: all are listed with the image that each comes from, and what to do", async () => {
    image("base", { settings: [entry("Port=80"), entry("Boot=yes")] });
    image("a", { parents: [`${http}/base.tar.gz`], settings: [entry("Bind=/etc")] });
    const error = await resolve(`${http}/a.tar.gz`).catch((error: unknown) => error);
    expect(error).toMatchObject({ exitCode: 1 });
    expect(error).toHaveProperty(
      "problems",
      expect.arrayContaining([expect.objectContaining({ at: line(1), hint: expect.stringMatching(/grant: \["Port", "Bind"\]/) })]),
    );
    expect(String(error)).toContain(`Port=80  from ${http}/base.tar.gz`);
    expect(String(error)).toContain(`Bind=/etc  from ${http}/a.tar.gz`);
    expect(String(error)).not.toContain("Boot=");
  });

  test("an image of this host does not speak for its parents from elsewhere", async () => {
    image("base", { settings: [entry("Bind=/etc")] });
    image("a", { parents: [`${http}/base.tar.gz`] });
    await expect(resolve(`file://${folder}/a.tar.gz`)).rejects.toThrow(/Bind=\/etc/);
  });

  test("an image that calls itself file: in its metadata is still from elsewhere", async () => {
    image("a", { settings: [entry("Bind=/etc")] });
    await expect(resolve(`${http}/a.tar.gz`)).rejects.toThrow(/Bind=\/etc/);
  });

  test("a grant lets them", async () => {
    image("a", { settings: [entry("Bind=/srv/web"), entry("Slice=web.slice")] });
    expect(shown(await resolve(`${http}/a.tar.gz`, { grant: ["Bind", "Slice"] }))).toEqual(["Bind=/srv/web", "Slice=web.slice"]);
    await expect(resolve(`${http}/a.tar.gz`, { grant: ["Bind"] })).rejects.toThrow(/Slice=web.slice/);
  });

  test("a script that repeats one lets just that one", async () => {
    image("a", { settings: [entry("Bind=/srv/web")] });
    expect(shown(await resolve(`${http}/a.tar.gz`, { settings: ["Bind=/srv/web"] }))).toContain("Bind=/srv/web");
  });

  test("a script that binds a folder of its own does not let the image bind another", async () => {
    image("a", { settings: [entry("Bind=/etc:/host-etc")] });
    await expect(resolve(`${http}/a.tar.gz`, { settings: ["Bind=/srv/web"] })).rejects.toThrow(/Bind=\/etc:\/host-etc/);
  });
});

describe("what speaks against a machine", () => {
  test("comes in one error, whatever kinds of refusals they are", async () => {
    image("a", { settings: [entry("Bind=/etc"), entry("Boot=yes")] });
    const error = await resolve(`${http}/a.tar.gz`, {
      command: ["own"],
      settings: ["ProcessTwo=yes", "RestrictAddressFamilies=AF_INET"],
    }).catch((error: unknown) => error);
    // Some of it is wrong in the script itself.
    expect(error).toMatchObject({ exitCode: 2 });
    expect(String(error)).toMatch(/EXEC of \/srv\/setup\.ts would become arguments of init/);
    expect(String(error)).toMatch(/Boot.* exclude each other/);
    // This host's own systemd-nspawn was asked.
    expect(String(error)).toMatch(/WITH: RestrictAddressFamilies needs systemd 261, this host has \d+/);
    expect(String(error)).toMatch(/Bind=\/etc {2}from http:/);
  });
});

describe("the layers of a machine are on the disk", () => {
  const marks = (): readonly string[] => readdirSync(join(folder, "store/extract")).filter((name) => name.endsWith(".unsynced"));

  test("before they are layers, when they come for it", async () => {
    const synced = replaceSync('[ -e "$2/etc/issue" ] && echo "$2" >> $log; exec /usr/bin/sync "$@"');
    image("app", { files: { "etc/issue": "x" } });
    await resolve(`file://${folder}/app.tar.gz`);
    expect(synced().at(-1)).toContain(join(folder, "store/tempdir/"));
    expect(marks()).toEqual([]);
  });

  test("at last when it is resolved, if they were pulled before", async () => {
    image("app", {});
    const context = await storeContext(folder);
    await pull(context, ref(`file://${folder}/app.tar.gz`));
    expect(marks()).toHaveLength(context.store.unsynced.isPossible ? 1 : 0);
    await resolve(`file://${folder}/app.tar.gz`);
    expect(marks()).toEqual([]);
  });
});
