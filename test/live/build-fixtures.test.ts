import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { Lab, pythonImages, readArchive, runInLayers, runProgram, Sandbox } from "./support/build.js";

/** Images of the Python tool name each other by file://localhost/srv/fix/…; /srv is theirs in a mount namespace of the tests. */
const lab = new Lab();
const fix = (name: string): string => `file://localhost/srv/fix/${name}.tar.gz`;
const image = `IMAGE("${fix("ours")}");`;
let srv: string;
let sandbox: Sandbox;
let within: readonly string[];

beforeAll(async () => {
  srv = await pythonImages(lab);
  sandbox = await Sandbox.open(srv);
  within = sandbox.within;
});
afterAll(async () => {
  await sandbox.close();
  lab.remove();
});

const archive = (name: string): string => join(srv, "fix", `${name}.tar.gz`);
const chain = ["top", "right", "left", "base", "rootfs"];

describe("images of the Python tool", () => {
  test("are pulled with all their ancestors, each once", async () => {
    const ended = await lab.build(`${image} PULL("${fix("top")}");`, { within });
    const pulled = ended.stdout.split("\n").flatMap((line) => /^pulled \S+\/(\w+)\.tar\.gz /.exec(line)?.[1] ?? []);
    expect(pulled.toSorted()).toEqual(chain.toSorted());
    const again = await lab.build(`${image} PULL("${fix("top")}");`, { within });
    expect(again.stdout.split("\n").filter((line) => line.startsWith("have "))).toHaveLength(5);
    expect(again.stdout).not.toContain("pulled");
  });

  test("lie upon each other top, right, left, base, rootfs: a step sees just what the kernel makes of that", async () => {
    const look = [
      "sh",
      "-c",
      "cd /; find bin etc opt root usr | sort; cat opt/* root/readme.md; echo; test ! -e /etc/issue && echo no issue",
    ];
    const ended = await lab.build(`${image} PULL("${fix("top")}"); RUN(${JSON.stringify(look)});`, { within });
    const layers = chain.map((name) => lab.layer(archive(name)));
    const seen = await runInLayers(layers, look);
    expect(ended.output).toEqual(seen.toString().trimEnd().split("\n"));
    expect(ended.output).toContain("no issue");
    const files = await lab.build(`${image} PULL("${fix("top")}"); SH("cat /opt/who; cat /opt/seen; ls /opt");`, { within });
    expect(files.output).toEqual(["right", "right", "base", "left", "list", "right", "seen", "who"]);
  });

  test("give a build their environment, the nearest image's first", async () => {
    const lines = 'SH("echo $TOP"); ';
    expect((await lab.build(`${image} PULL("${fix("top")}"); ${lines}`, { within })).output).toEqual(["1"]);
    const own = await lab.build(`${image} PULL("${fix("top")}"); WITH({ Environment: { TOP: "2" } }); ${lines}`, { within });
    expect(own.output).toEqual(["2"]);
  });

  test("of which a later PULL lies above an earlier one, and their base below both", async () => {
    const who = async (...names: readonly string[]): Promise<string | undefined> => {
      const pulls = names.map((name) => `PULL("${fix(name)}");`).join(" ");
      return (await lab.build(`${image} ${pulls} SH("cat /opt/who", { cache: false });`, { within })).output[0];
    };
    expect(await who("left", "right")).toBe("right");
    expect(await who("right", "left")).toBe("left");
    expect(await who("right", "base")).toBe("right");
    expect(await who("right", "base", "left", "rootfs")).toBe("left");
  });
});

describe("an image that we push", () => {
  beforeAll(async () => {
    await lab.build(
      `${image} PULL("${fix("left")}"); PULL("${fix("right")}"); EXEC(["/usr/bin/env", "sh", "-c", "echo 'ours'; sleep 600"]);
      WITH({ Environment: { A: "b c", D: "e=f" }, Hostname: "ours" });
      SH("rm /etc/group; mkdir /opt/ours; echo x > /opt/ours/f; ln /opt/ours/f /opt/ours/hard; ln -s f /opt/ours/soft"); PUSH();`,
      { within },
    );
  });

  test("has the four keys that the Python tool reads, with what it would write", async () => {
    const meta = (await readArchive(archive("ours"))).find(({ name }) => name === "./nspawn-image.yaml");
    const fields = parse(meta?.content.toString() ?? "") as Record<string, unknown>;
    expect(fields.image_url).toBe(fix("ours"));
    expect(fields.overlay_url_list).toEqual([fix("left"), fix("right")]);
    expect(fields.profile_command).toEqual(["/usr/bin/env", "sh", "-c", "echo 'ours'; sleep 600"]);
    expect(fields.profile_entry_list).toEqual(["Environment=A=b c", "Environment=D=e=f", "Hostname=ours"]);
  });

  test("starts at ./ and holds whiteouts as character devices 0:0", async () => {
    const members = await readArchive(archive("ours"));
    expect(members[0]?.name).toBe("./");
    expect(members.filter(({ name }) => !name.startsWith("./"))).toEqual([]);
    const kinds = Object.fromEntries(members.map(({ name, type, device }) => [name, type === "character" ? `${type} ${device}` : type]));
    expect(kinds).toEqual({
      "./": "folder",
      "./nspawn-image.yaml": "file",
      "./etc/": "folder",
      "./etc/group": "character 0:0",
      "./opt/": "folder",
      "./opt/ours/": "folder",
      "./opt/ours/f": "file",
      "./opt/ours/hard": "hardlink",
      "./opt/ours/soft": "symlink",
    });
    expect(members.find(({ name }) => name === "./opt/ours/hard")?.link).toBe("./opt/ours/f");
    expect(members.filter(({ uid, gid }) => uid !== 0 || gid !== 0)).toEqual([]);
  });

  test("is read by plain GNU tar without a word", async () => {
    const folder = lab.archive("plain");
    mkdirSync(folder);
    const listing = await runProgram([
      "sh",
      "-ec",
      'tar -C "$1" -xzf "$2" 2>&1; cd "$1"; find . -printf "%P %y\\n" | sort',
      "sh",
      folder,
      archive("ours"),
    ]);
    const entries = [
      " d",
      "etc d",
      "etc/group c",
      "nspawn-image.yaml f",
      "opt d",
      "opt/ours d",
      "opt/ours/f f",
      "opt/ours/hard f",
      "opt/ours/soft l",
    ];
    expect(listing.toString().trimEnd().split("\n")).toEqual(entries);
    expect(readFileSync(join(folder, "opt/ours/hard"), "utf8")).toBe("x\n");
  });

  test("is a parent as good as the Python tool's, and its own child is another", async () => {
    const ended = await lab.build(
      `IMAGE("${fix("child")}"); PULL("${fix("base")}"); PULL("${fix("ours")}");
      SH("ls /etc/group 2>&1 || true; cat /opt/ours/hard /opt/who; ls -l /opt/ours/f | awk '{ print $2 }'; echo $A; echo $D");`,
      { within },
    );
    expect(ended.output).toEqual(["ls: /etc/group: No such file or directory", "x", "right", "2", "b c", "e=f"]);
  });

  for (const ending of ["tar.gz", "tar.xz", "tar.zst"]) {
    test(`as .${ending} is what its name says, and can be pulled`, async () => {
      const url = `file:///srv/fix/as.${ending}`;
      await lab.build(`IMAGE("${url}"); PULL("${fix("rootfs")}"); SH("echo ${ending} > /made"); PUSH();`, { within });
      const members = await readArchive(join(srv, "fix", `as.${ending}`));
      expect(members.map(({ name }) => name)).toEqual(["./", "./nspawn-image.yaml", "./made"]);
      expect((await lab.build(`${image} PULL("${url}"); SH("cat /made");`, { within })).output).toEqual([ending]);
    });
  }
});

test("nothing is left in the namespaces of these builds", async () => {
  expect(await sandbox.leftovers()).toEqual([]);
  expect(lab.inProgress()).toEqual([]);
});
