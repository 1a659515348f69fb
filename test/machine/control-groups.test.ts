import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { filesOfGroups, isFrozen, parseHierarchies, parseMemberships, unitOf } from "../../src/machine/control-groups.js";
import { tempFolder } from "../support/temp.js";

const unified = "25 20 0:22 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const hybrid = `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
36 31 0:33 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices,release_agent=/x
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`;

test("a group is frozen if the kernel says so, and not where it does not tell", () => {
  const folder = tempFolder();
  const events = (text: string): boolean => {
    writeFileSync(join(folder, "cgroup.events"), text);
    return isFrozen(join(folder, "cgroup.procs"));
  };
  expect(isFrozen(join(folder, "cgroup.procs"))).toBe(false);
  expect(events("populated 1\nfrozen 0\n")).toBe(false);
  expect(events("populated 0\nfrozen 1\n")).toBe(true);
});

describe("the files of the groups that a process is in", () => {
  test("with version 2 alone", () => {
    expect(filesOfGroups("0::/machine.slice/web.service/payload\n", unified)).toEqual([
      "/sys/fs/cgroup/machine.slice/web.service/payload/cgroup.procs",
    ]);
  });

  test("with version 1 beside it: those of each hierarchy that is mounted", () => {
    const memberships =
      "9:name=systemd:/machine.slice/web.service\n8:pids:/\n5:devices:/machine.slice\n1:cpuacct,cpu:/\n0::/machine.slice/web.service/payload\n";
    expect(filesOfGroups(memberships, hybrid)).toEqual([
      "/sys/fs/cgroup/systemd/machine.slice/web.service/cgroup.procs",
      "/sys/fs/cgroup/devices/machine.slice/cgroup.procs",
      "/sys/fs/cgroup/cpu,cpuacct/cgroup.procs",
      "/sys/fs/cgroup/unified/machine.slice/web.service/payload/cgroup.procs",
    ]);
  });

  test("where only a part of the hierarchy is mounted, and its path has spaces", () => {
    const part = "25 20 0:22 /a /sys/fs/my\\040groups rw - cgroup2 cgroup2 rw\n";
    expect(filesOfGroups("0::/a/b c:d\n", part)).toEqual(["/sys/fs/my groups/b c:d/cgroup.procs"]);
    expect(filesOfGroups("0::/ab\n", part)).toEqual([]);
  });
});

test("any text is parsed, without more entries than lines", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 9 }), (lines) => {
      const text = lines.join("\n");
      const count = text.split("\n").length;
      expect(parseMemberships(text).length).toBeLessThanOrEqual(count);
      expect(parseHierarchies(text).length).toBeLessThanOrEqual(count);
    }),
  );
});

test("a path with any characters but line breaks stays as it is", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[^\n\r\u2028\u2029]*$/), (path) => {
      expect(parseMemberships(`0::/${path}\n`)).toEqual([{ controllers: [], path: `/${path}` }]);
    }),
  );
});

test.each([
  ["0::/machine.slice/web.service/supervisor", "web.service"],
  ["0::/machine.slice/machine-a\\x2db.scope/payload/init.scope", "machine-a\\x2db.scope"],
  ["0::/machine.slice/e.service/payload/machine.slice/web.service", "e.service"],
  ["0::/a.slice/a-b.slice/_cpu.service", "cpu.service"],
  ["9:name=systemd:/machine.slice/web.service\n0::/", "web.service"],
  ["0::/", undefined],
  ["0::/nspawn-host.x/host/payload", undefined],
  ["", undefined],
])("the unit of %j is %s", (text, unit) => {
  expect(unitOf(text)).toBe(unit);
});
