import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Lab, pythonImages, runProgram, Sandbox } from "./support/build.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, failWith, inMachine, leaderOf, setupScript, succeed, writeScript } from "./support/machine.ts";

describe("without systemd", () => {
  const lab = new Lab();
  let sandbox: Sandbox;

  beforeAll(async () => {
    // Another user has to see the store and the package.
    for (const folder of [lab.folder, inject("prefix")]) chmodSync(folder, 0o755);
    sandbox = await Sandbox.open(await pythonImages(lab));
  });
  afterAll(async () => {
    await sandbox.close();
    lab.remove();
  });

  async function nspawn(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await lab.nspawn(words, { within: sandbox.within });
    expect(code, stdout + stderr).toBe(0);
    return stdout;
  }

  const url = (name: string): string => `file:///srv/fix/${name}.tar.gz`;

  test("pull brings an image and all its ancestors, and tells programs how", async () => {
    const events = (await nspawn("image", "pull", url("top"), "--json"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const pulled = events.filter(({ event }) => event === "pulled").map(({ url, how }) => `${how} ${url.split("/").at(-1)}`);
    const names = ["top", "left", "right", "base", "rootfs"].map((name) => `fetched ${name}.tar.gz`);
    expect(pulled.sort()).toEqual(names.sort());
    expect(events.at(-1)).toMatchObject({ event: "done" });
    expect(await nspawn("image", "pull", url("top"))).toMatch(/^(have .*\n){5}$/);
  });

  test("list is a table for people and an array for programs, and needs no rights", async () => {
    const other = [...sandbox.within, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const rows = JSON.parse(await nspawn("image", "list", "--json")) as readonly Record<string, unknown>[];
    expect(rows.map(({ url }) => url)).toEqual(["base", "left", "right", "rootfs", "top"].map(url));
    expect(rows[4]).toMatchObject({ kind: "image", bytes: 786, layers: 5, machines: [] });
    const lines = (await nspawn("image", "list")).split("\n");
    expect(lines[0]).toMatch(/^IMAGE +DIGEST +ARCHIVE +ON DISK +AGE +LAYERS +MACHINES$/);
    expect(lines[5]).toMatch(/^file:\/\/\/srv\/fix\/top\.tar\.gz +7b52fd0bb4be +786 B +[\d.]+ kB +\S.*\S +5$/);
    const { code, stdout, stderr } = await lab.nspawn(["image", "list"], { within: other, env: { HOME: "/nonexistent" } });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: lines.join("\n"), stderr: "" });
  });

  test("inspect knows an image by its URL, its digest, and the start of that", async () => {
    const details = JSON.parse(await nspawn("image", "inspect", url("top"), "--json"));
    expect(details).toMatchObject({
      urls: [{ url: url("top") }],
      parents: [{ url: "file://localhost/srv/fix/left.tar.gz" }, { url: "file://localhost/srv/fix/right.tar.gz" }],
      settings: [
        { name: "Environment", value: "TOP=1" },
        { name: "Hostname", value: "top" },
      ],
      command: ["/usr/bin/env", "sh", "-c", "echo top; sleep 600"],
      trouble: [],
    });
    expect(details.chain.map(({ url }: { url: string }) => url.split("/").at(-1)?.split(".")[0])).toEqual([
      "top",
      "right",
      "left",
      "base",
      "rootfs",
    ]);
    for (const word of [details.layer.digest, details.layer.digest.slice(7, 19)])
      expect(JSON.parse(await nspawn("image", "inspect", word, "--json"))).toEqual(details);
    expect(await nspawn("image", "inspect", url("left"))).toContain(`used by\n  image ${url("top")}\n`);
  });

  test("graph draws a tree, and an SVG that a reader of XML takes", async () => {
    const tree = (await nspawn("image", "graph")).replace(/ {2}sha256:\S+ [\d.]+ k?M?B/g, "").replaceAll("file:///srv/fix/", "");
    expect(tree).toBe(
      [
        "top.tar.gz",
        "├─ right.tar.gz",
        "│  └─ base.tar.gz",
        "│     └─ rootfs.tar.gz",
        "└─ left.tar.gz",
        "   └─ base.tar.gz, ↑ drawn out above",
        "",
      ].join("\n"),
    );
    const drawing = join(lab.folder, "graph.svg");
    await nspawn("image", "graph", url("top"), "--svg", drawing);
    const first = readFileSync(drawing, "utf8");
    await nspawn("image", "graph", "--svg", drawing);
    expect(readFileSync(drawing, "utf8")).toBe(first);
    expect(first.match(/<rect /g)).toHaveLength(5);
    expect(first.match(/<path class="edge"/g)).toHaveLength(5);
  });

  test("what other images stand on is not removed; with them it is, and the rest stays", async () => {
    const refused = await lab.nspawn(["image", "remove", url("left")], { within: sandbox.within });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`error: ${url("left")} is in use by the image ${url("top")}\n`);
    const removed = await nspawn("image", "remove", url("top"), url("left"));
    expect(removed.match(/^removed /gm)).toHaveLength(4);
    const rows = JSON.parse(await nspawn("image", "list", "--json")) as readonly Record<string, unknown>[];
    expect(rows.map(({ url }) => url)).toEqual(["base", "right", "rootfs"].map(url));
    expect(await nspawn("prune", "--dry-run")).toBe("nothing to remove\n");
  });

  test("archives are kept if that is configured, and go with their layers", async () => {
    const keep = ["--config", "[storage]keep_archives=yes"];
    await nspawn("image", "pull", url("left"), ...keep);
    const { layer } = JSON.parse(await nspawn("image", "inspect", url("left"), "--json"));
    expect(await runProgram(["cat", layer.archive])).toEqual(readFileSync(join(lab.folder, "srv/fix/left.tar.gz")));
    await nspawn("image", "remove", url("left"));
    await expect(runProgram(["cat", layer.archive])).rejects.toThrow("No such file");
  });

  test("wrong calls end with 2, what is not there with 1", async () => {
    const run = async (...words: readonly string[]) => lab.nspawn(words, { within: sandbox.within });
    for (const words of [
      ["image", "pull"],
      ["image", "pull", "nope"],
      ["image", "lst"],
      ["images"],
      ["image", "inspect", "x"],
      ["image", "list", "--no"],
    ])
      expect((await run(...words)).code, words.join(" ")).toBe(2);
    for (const words of [
      ["image", "inspect", url("tpo")],
      ["image", "remove", "0123456789ab"],
      ["image", "pull", url("nope")],
    ])
      expect((await run(...words)).code, words.join(" ")).toBe(1);
    expect((await run("image", "inspect", url("rigt"))).stderr).toContain(`hint: did you mean ${url("right")}?`);
  });
});

describe("on a host with a machine that runs", () => {
  let host: DisposableHost;
  const image = "file:///srv/images/app.tar.gz";
  const pinned = (text: string): string =>
    [
      "mkdir -p /srv/images /srv/content; cd /srv/content",
      "printf 'image_url: file:///srv/images/app.tar.gz\\noverlay_url_list: [file:///srv/fix/rootfs.tar.gz]\\n' > nspawn-image.yaml",
      `mkdir -p etc; echo ${text} > etc/version; tar czf /srv/images/.new . && mv /srv/images/.new /srv/images/app.tar.gz`,
    ].join("\n");

  beforeAll(async () => {
    host = await bootMachineHost("nspawn-image-command");
    await host.shell(pinned("one"));
    const script = setupScript(`IMAGE("${image}");`, 'MACHINE("m-app");', 'EXEC(["sleep", "600"]);');
    await succeed(host, [await writeScript(host, "/root/app/setup.ts", script)]);
  });
  afterAll(() => host?.stop());

  const list = async (): Promise<readonly Record<string, unknown>[]> => JSON.parse(await host.must(["nspawn", "image", "list", "--json"]));
  /** All that the machine sees in its root. */
  const root = async (): Promise<string> => {
    const find = "find . -xdev -printf '%p %M %U %G %T@ %l\n' | sort; find . -xdev -type f | sort | xargs -d '\n' sha256sum";
    return host.must(["sh", "-ec", `cd "/proc/$1/root"; ${find}`, "sh", await leaderOf(host, "m-app")]);
  };

  test("list names the machine, and its image cannot be removed", async () => {
    expect((await list()).map(({ url, machines }) => [url, machines])).toEqual([
      ["file:///srv/fix/rootfs.tar.gz", ["m-app"]],
      [image, ["m-app"]],
    ]);
    expect(await failWith(host, 1, ["nspawn", "image", "remove", image])).toContain(`${image} is in use by the machine m-app`);
  });

  test("a new version of its URL changes nothing in it, and its layers stay until it is updated", async () => {
    const before = await root();
    expect(before).toContain("./etc/version");
    await host.shell(pinned("two"));
    await succeed(host, ["nspawn", "image", "pull", image]);
    await succeed(host, ["nspawn", "prune"]);
    expect(await root()).toBe(before);
    expect(await inMachine(host, "m-app", ["cat", "/etc/version"])).toBe("one\n");
    expect((await list()).map(({ kind, machines }) => [kind, machines])).toEqual([
      ["image", ["m-app"]],
      ["image", []],
      ["earlier", ["m-app"]],
    ]);
    await succeed(host, ["systemctl", "restart", "m-app"]);
    expect(await inMachine(host, "m-app", ["cat", "/etc/version"])).toBe("one\n");
    // The generation before keeps its layers too, unless none is kept.
    await succeed(host, ["/root/app/setup.ts", "--config", "[machine]keep_generations=1"]);
    expect(await inMachine(host, "m-app", ["cat", "/etc/version"])).toBe("two\n");
    const [earlier] = (await list()).filter(({ kind }) => kind === "earlier");
    expect(await succeed(host, ["nspawn", "prune", "--dry-run"])).toContain(String(earlier?.digest).slice(7, 23));
    await succeed(host, ["nspawn", "prune"]);
    expect((await list()).map(({ kind }) => kind)).toEqual(["image", "image"]);
    expect(await inMachine(host, "m-app", ["cat", "/etc/version"])).toBe("two\n");
  });

  test("a machine whose unit is gone keeps its layers as long as it runs", async () => {
    await host.shell("mv /etc/systemd/system/m-app.service /root/");
    expect(await failWith(host, 1, ["nspawn", "image", "remove", image])).toContain("the machine m-app");
    await host.shell("mv /root/m-app.service /etc/systemd/system/; /root/app/setup.ts --action=desure");
    await succeed(host, ["nspawn", "image", "remove", image]);
  });
});
