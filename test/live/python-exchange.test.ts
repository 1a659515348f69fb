import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Lab, pythonImages, readArchive, runProgram, Sandbox } from "./support/build.js";

/** Images go both ways between this tool and the Python tool: theirs by their fixtures, ours as that tool reads them. */
const lab = new Lab();
const fix = (name: string): string => `file://localhost/srv/fix/${name}.tar.gz`;
let srv: string;
let sandbox: Sandbox;

beforeAll(async () => {
  srv = await pythonImages(lab);
  sandbox = await Sandbox.open(srv);
  await lab.build(
    `IMAGE("${fix("ours")}"); PULL("${fix("top")}"); EXEC(["/usr/bin/env", "sh", "-c", "echo 'yes': \\"on\\" #no; sleep 600"]);
    WITH({ Environment: { A: "b: c", ON: "yes", N: "0o17", U: "ü\\u2028\\t" }, Hostname: "no" });
    SH("rm -r /opt/list; mkdir /opt/list; echo new > /opt/list/new; rm /opt/seen; ln -s who /opt/link"); PUSH();`,
    { within: sandbox.within },
  );
});
afterAll(async () => {
  await sandbox.close();
  lab.remove();
});

describe("the Python tool's images", () => {
  test("merge to just what that tool's documentation says of them", async () => {
    const { output } = await lab.build(
      `IMAGE("${fix("x")}"); PULL("${fix("top")}"); SH("cat /opt/who /opt/seen; ls /opt | tr '\\\\n' ' '; echo; test -e /etc/issue || echo deleted");`,
      { within: sandbox.within },
    );
    expect(output).toEqual(["right", "right", "base left list right seen who ", "deleted"]);
  });

  test("are checked against a digest before anything of them is used", async () => {
    const ended = await lab.run(
      `IMAGE("${fix("x")}"); PULL({ url: "${fix("rootfs")}", digest: "sha256:${"0".repeat(64)}" }); SH("true");`,
      {
        within: sandbox.within,
      },
    );
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/rootfs\.tar\.gz has the digest sha256:[0-9a-f]{64}, expected is sha256:0+/);
    expect(lab.inProgress()).toEqual([]);
  });
});

describe("an image of ours", () => {
  const archive = (): string => join(srv, "fix/ours.tar.gz");

  test("has the four keys of the Python tool in plain YAML 1.1, which it reads with PyYAML", async () => {
    const program = [
      "import sys, yaml",
      "m = yaml.safe_load(sys.stdin.buffer.read())",
      "print(ascii([m[k] for k in ['image_url', 'overlay_url_list', 'profile_command', 'profile_entry_list']]))",
    ].join("\n");
    const text = (await readArchive(archive())).find(({ name }) => name === "./nspawn-image.yaml")?.content;
    const read = (await runProgram(["python3", "-c", program], text)).toString();
    const entries = ["Environment=A=b: c", "Environment=ON=yes", "Environment=N=0o17", "Environment=U=\\xfc\\u2028\\t", "Hostname=no"];
    expect(read).toBe(
      `['${fix("ours")}', ['${fix("top")}'], ['/usr/bin/env', 'sh', '-c', 'echo \\'yes\\': "on" #no; sleep 600'], [${entries.map((entry) => `'${entry}'`).join(", ")}]]\n`,
    );
  });

  test("is extracted by plain tar as that tool calls it: whiteouts are devices 0:0, names start at ./", async () => {
    const folder = join(lab.folder, "plain");
    mkdirSync(folder);
    const script =
      'tar --extract --xattrs --file="$2" --directory="$1" 2>&1; cd "$1"; find . -printf "%P %y\\n" | sort; stat -c %t:%T opt/seen; cat opt/list/new';
    const seen = (await runProgram(["sh", "-ec", script, "sh", folder, archive()])).toString().trimEnd().split("\n");
    expect(seen).toEqual([" d", "nspawn-image.yaml f", "opt d", "opt/link l", "opt/list d", "opt/list/new f", "opt/seen c", "0:0", "new"]);
    expect((await readArchive(archive())).every(({ name }) => name.startsWith("./"))).toBe(true);
  });
});
