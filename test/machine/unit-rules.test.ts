import { describe, expect, test } from "vitest";
import { machinePaths } from "../../src/machine/paths.js";
import { brokenRules } from "../../src/machine/unit-rules.js";
import { testConfig } from "../support/config.js";

const paths = machinePaths("web", testConfig("/var/lib/nspawn"));
const id = "1111111111111111";
type Ruled = Parameters<typeof brokenRules>[1];
const machine = { spec: { name: "web" }, paths, chain: [{ layer: { id } }] } as unknown as Ruled;

const lines = {
  folder: "WorkingDirectory=/var/lib/nspawn/extract",
  mount: `ExecStartPre=+/usr/bin/mount -t overlay -o lowerdir=${id},upperdir=/u nspawn-web /var/lib/machines/web`,
  start: "ExecStart=/usr/bin/systemd-nspawn --keep-unit \\\n  --machine=web --directory=/var/lib/machines/web",
  release: "ExecStopPost=-/usr/bin/umount /var/lib/machines/web",
};
const unit = (changed: Partial<Record<keyof typeof lines, string>> = {}): string =>
  ["[Service]", ...Object.values({ ...lines, ...changed }), ""].join("\n");

describe("brokenRules", () => {
  test("a unit that starts the machine, and mounts and unmounts its root, is right", () => {
    expect(brokenRules(unit(), machine)).toEqual([]);
  });

  test.each([
    [{ start: "" }, "one ExecStart= has to run the machine"],
    [{ start: "# ExecStart=/x" }, "one ExecStart= has to run the machine"],
    [{ start: `${lines.start}\n${lines.start}` }, "one ExecStart= has to run the machine"],
    [{ start: lines.start.replace("--keep-unit", "") }, "ExecStart= has to run systemd-nspawn with all of its arguments"],
    [{ start: lines.start.replace("=web", "=other") }, "ExecStart= has to run systemd-nspawn with all of its arguments"],
    [{ mount: `# ${id}` }, "nothing mounts the root"],
    [{ release: "" }, "nothing unmounts the root"],
    [{ folder: "" }, "layers are mounted by names relative to a folder, which is missing"],
    [{ folder: "WorkingDirectory=" }, "layers are mounted by names relative to a folder, which is missing"],
    [{ mount: "ExecStartPre=/my/mount /var/lib/machines/web" }, "it does not name all of its layers"],
  ])("%o is told", (changed, message) => {
    const broken = brokenRules(unit(changed), machine);
    expect(broken).toHaveLength(1);
    expect(broken[0]).toContain(message);
  });

  test("a mount by full paths needs no working folder", () => {
    const mount = lines.mount.replace(id, `/var/lib/nspawn/extract/${id}`);
    expect(brokenRules(unit({ folder: "", mount }), machine)).toEqual([]);
  });

  test("all that is wrong is told at once, each with what a template writes", () => {
    const broken = brokenRules("", machine);
    expect(broken).toHaveLength(4);
    for (const message of broken) expect(message).toMatch(/\{\{ .* \}\}/);
  });

  test("a root in an odd folder is found as it is quoted", () => {
    const root = "/srv/50% my/web";
    const odd = { ...machine, paths: { ...paths, root } } as Ruled;
    const text = unit().replace(/(\S*)\/var\/lib\/machines\/web/g, '"$1/srv/50%% my/web"');
    expect(brokenRules(text, odd)).toEqual([]);
  });
});
