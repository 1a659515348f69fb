import { describe, expect, test } from "vitest";
import { mmdebstrapArgv } from "../../src/engine/build/bootstrap.js";

describe("mmdebstrapArgv", () => {
  test("Debian: the smallest system, from main, to standard output, from the default mirror", () => {
    const argv = mmdebstrapArgv({ distribution: "debian", release: "bookworm", packages: ["systemd", "dbus"] });
    expect(argv.slice(0, 6)).toEqual([
      "mmdebstrap",
      "--mode=root",
      "--format=tar",
      "--variant=minbase",
      "--components=main",
      "--include=systemd,dbus",
    ]);
    expect(argv.slice(-2)).toEqual(["bookworm", "-"]);
  });

  test("Ubuntu: from main and universe", () => {
    expect(mmdebstrapArgv({ distribution: "ubuntu", release: "noble" })).toContain("--components=main,universe");
  });

  test("a mirror, components and a variant of one's own", () => {
    const spec = {
      distribution: "debian",
      release: "sid",
      mirror: "http://mirror.example/debian",
      components: ["main", "contrib"],
      variant: "apt",
    } as const;
    const argv = mmdebstrapArgv(spec);
    expect(argv).toEqual(expect.arrayContaining(["--components=main,contrib", "--variant=apt"]));
    expect(argv.slice(-3)).toEqual(["sid", "-", "http://mirror.example/debian"]);
    expect(argv.some((word) => word.startsWith("--include"))).toBe(false);
  });

  test("what mmdebstrap takes from the host does not stay", () => {
    const hook = mmdebstrapArgv({ distribution: "debian", release: "bookworm" }).find((word) => word.startsWith("--customize-hook="));
    for (const file of ["/etc/resolv.conf", "/etc/hostname", "/etc/machine-id"]) expect(hook).toContain(`"$1${file}"`);
  });
});
