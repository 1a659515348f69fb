import { expect, test } from "vitest";
import { isLong } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { hostState } from "./support/host-state.ts";
import { bootMachineHost, buildScript, failWith, inMachine, setupScript, succeed, writeScript } from "./support/machine.ts";

/** Debian 12, 13 and its rolling release: systemd 252, 257 and 262. */
const releases = (process.env.NSPAWN_TEST_HOSTS ?? (isLong ? "bookworm" : "")).split(/[ ,]+/).filter((release) => release !== "");
const all = ["bookworm", "trixie", "sid"];

for (const release of all) {
  const isAsked = releases.includes(release) || releases.includes("all");
  const title = `a machine's life on a host of Debian ${release}`;
  // The roots of the others take half a minute each to make, and a download; the first is the host of all other tests.
  if (isAsked) test(title, () => withHost(release, life));
  else test(title, ({ skip }) => skip(`scripts/test --hosts, or NSPAWN_TEST_HOSTS="${all.join(" ")}", runs it`));
}

async function withHost(release: string, use: (host: DisposableHost) => Promise<void>): Promise<void> {
  const host = await bootMachineHost(`nspawn-hosts-${release}`, { release });
  try {
    await use(host);
  } finally {
    await host.stop();
  }
}

async function life(host: DisposableHost): Promise<void> {
  const image = 'IMAGE("file:///srv/hosts/image.tar.zst");';
  const build = (text: string): string =>
    buildScript(
      image,
      'PULL("file://localhost/srv/fix/rootfs.tar.gz");',
      `SH("echo ${text} > /version");`,
      'EXEC(["sleep", "600"]);',
      "PUSH();",
    );
  const setup = setupScript(
    image,
    'MACHINE("h-life");',
    'WITH({ VirtualEthernet: true, Ephemeral: true, Bind: "/srv/hosts-data/:/data" });',
  );
  const script = await writeScript(host, "/root/s/setup.ts", setup);
  const make = async (text: string): Promise<void> => {
    await succeed(host, [await writeScript(host, "/root/s/build.ts", build(text))]);
    await succeed(host, [script]);
  };
  const version = (): Promise<string> => inMachine(host, "h-life", ["cat", "/version"]);
  const show = async (property: string): Promise<string> =>
    (await host.must(["systemctl", "show", "--value", `--property=${property}`, "h-life.service"])).trim();

  await make("one");
  expect(await version()).toBe("one\n");
  // Else systemctl warns of it for every unit of the host.
  expect(await show("NeedDaemonReload")).toBe("no");
  expect(await host.must(["machinectl", "list", "--no-legend"])).toMatch(/^h-life\s+container\s+systemd-nspawn/m);
  const messages = await host.must(["journalctl", "-b", "-o", "cat", "_PID=1"]);
  expect(messages).not.toMatch(/h-life\.service:\d+: /);
  // The device policy of the release's own template, but for disks.
  expect(await show("DevicePolicy")).toBe("closed");
  expect(await show("DelegateSubgroup")).toBe(host.name.endsWith("bookworm") ? "" : "supervisor");

  // One that does not work is started once, and its end is told.
  const broken = setupScript(image, 'MACHINE("h-broken");', 'EXEC(["sh", "-c", "echo no good; exit 3"]);');
  expect(await failWith(host, 1, [await writeScript(host, "/root/s/broken.ts", broken)])).toContain("no good");
  expect((await host.must(["journalctl", "-b", "-o", "cat", "--unit=h-broken"])).match(/^no good$/gm)).toHaveLength(1);

  await make("two");
  expect(await version()).toBe("two\n");
  // A systemd-nspawn that was killed leaves nothing that stops the next start.
  await host.shell(`kill -KILL ${await show("MainPID")}`);
  await expect.poll(() => show("ActiveState")).toBe("failed");
  await succeed(host, [script, "--action=start"]);
  expect(await version()).toBe("two\n");
  await succeed(host, [script, "--action=stop"]);
  expect(await show("ActiveState")).toBe("inactive");
  await succeed(host, [script, "--action=desure"]);

  const before = await hostState(host);
  await succeed(host, [script]);
  await host.shell(`kill -KILL ${await show("MainPID")}`);
  await expect.poll(() => show("ActiveState")).toBe("failed");
  await succeed(host, [script, "--action=desure"]);
  const after = await hostState(host);
  expect(after.filter((line) => !before.includes(line))).toEqual([]);
  expect(before.filter((line) => !after.includes(line))).toEqual([]);
}
