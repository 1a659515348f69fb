import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { enterCommand } from "../../src/machine/enter-command.js";
import type { Entry } from "../../src/machine/entry.js";

const entry: Entry = {
  machine: "web",
  namespaces: { user: 20, net: 21, pid: 22, mnt: 23 },
  root: 24,
  terminals: 25,
  folder: "/srv",
  groups: ["/sys/fs/cgroup/a b/cgroup.procs"],
  capabilities: [0, 18],
  noNewPrivileges: true,
  owner: 65536,
  user: { name: "root", home: "/root", shell: "/bin/sh" },
};
const files = `/proc/${process.pid}/fd`;

test("without a terminal: groups, namespaces, rights, root, command, in this order", () => {
  const argv = enterCommand(entry, { argv: ["echo", "a'b\n$c"], environment: { HOME: "/root" }, terminal: false });
  const at = (word: string): number => argv.indexOf(word);
  expect(argv.slice(0, 4)).toEqual(["unshare", "--mount", "--propagation", "private"]);
  const order = [at("/sys/fs/cgroup/a b/cgroup.procs"), at("nsenter"), at("setpriv"), at("env"), at("echo")];
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order).not.toContain(-1);
  for (const option of [`--user=${files}/20`, `--net=${files}/21`, `--pid=${files}/22`, `--mount=${files}/23`, `--wd=${files}/24`])
    expect(argv).toContain(option);
  expect(argv).not.toContain(`--uts=${files}/21`);
  expect(argv).toContain("--bounding-set=-all,+cap_0,+cap_18");
  expect(argv).toContain("--no-new-privs");
  expect(argv.slice(-3)).toEqual(["/srv", "echo", "a'b\n$c"]);
  expect(argv).not.toContain("script");
});

test("on a terminal the same is one word for script(1)'s shell, whatever characters it has", () => {
  const inside = { argv: ["echo", "a'b\n$c"], environment: {} };
  const onTerminal = enterCommand(entry, { ...inside, terminal: true });
  expect(onTerminal).toContain(`${files}/25`);
  const line = onTerminal[onTerminal.indexOf("--command") + 1] ?? "";
  const words = execFileSync("sh", ["-c", `show() { printf '%s\\0' "$@"; }; ${line.replace(/^exec /, "show ")}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);
  const plain = enterCommand(entry, { ...inside, terminal: false });
  const start = plain.indexOf("sh", plain.lastIndexOf("-ec") - 1);
  expect(words).toEqual(plain.slice(start));
  // The terminal becomes the machine's root's.
  expect(words[4]).toBe("65536");
});
