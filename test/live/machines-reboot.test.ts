import { afterAll, beforeAll, expect, test } from "vitest";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, inMachine, setupScript, succeed, writeScript } from "./support/machine.ts";

/** A host that is rebooted, and one that loses its power. */
let host: DisposableHost;

const busybox = 'IMAGE("file://localhost/srv/fix/rootfs.tar.gz");';
const sleeps = 'EXEC(["sleep", "600"]);';
const machines = {
  "b-volatile": `${busybox} MACHINE("b-volatile"); ${sleeps}`,
  "b-keep": `${busybox} MACHINE({ name: "b-keep", state: "keep" }); ${sleeps}`,
  "b-manual": `${busybox} MACHINE({ name: "b-manual", state: "keep" }); ${sleeps}`,
};

beforeAll(async () => {
  host = await bootMachineHost("nspawn-reboot");
  const scripts = Object.entries(machines).map(([name, text]) => writeScript(host, `/root/s/${name}.ts`, setupScript(text)));
  await Promise.all(scripts.map(async (script) => succeed(host, [await script])));
  await succeed(host, ["/root/s/b-manual.ts", "--action=disable"]);
});
afterAll(() => host?.stop());

const stateOf = async (name: string): Promise<string> => (await host.run(["systemctl", "is-active", name])).stdout.trim();
const write = (name: string, file: string): Promise<string> => inMachine(host, name, ["sh", "-c", `echo ${file} > /root/${file}`]);
const files = async (name: string): Promise<string> => (await inMachine(host, name, ["ls", "/root"])).trim().replaceAll("\n", " ");

test("after a reboot enabled machines run; what was kept is there, what is volatile is gone", async () => {
  const leader = host.leader;
  for (const name of Object.keys(machines)) await write(name, "orderly");
  await host.reboot("orderly");
  expect(host.leader).not.toBe(leader);
  await expect.poll(() => stateOf("b-volatile")).toBe("active");
  await expect.poll(() => stateOf("b-keep")).toBe("active");
  expect(await stateOf("b-manual")).toBe("inactive");
  expect([await files("b-volatile"), await files("b-keep")]).toEqual(["", "orderly"]);
  await succeed(host, ["/root/s/b-manual.ts", "--action=start"]);
  expect(await files("b-manual")).toBe("orderly");
});

test("a crash of the host is no different, even for what was written just before", async () => {
  await write("b-volatile", "crash");
  await write("b-keep", "crash");
  await host.reboot("crash");
  await expect.poll(() => stateOf("b-volatile")).toBe("active");
  await expect.poll(() => stateOf("b-keep")).toBe("active");
  expect([await files("b-volatile"), await files("b-keep")]).toEqual(["", "crash orderly"]);
  // Nothing has changed, so the next setup leaves the machine alone.
  expect(await succeed(host, ["/root/s/b-keep.ts"])).toContain("is up to date");
  expect(await files("b-keep")).toBe("crash orderly");
});

test("a reboot from inside starts the machine again, on a clean root or on the one that it keeps", async () => {
  for (const name of ["b-volatile", "b-keep"]) {
    await write(name, "inside");
    const main = async (): Promise<string> => (await host.must(["systemctl", "show", "--value", "--property=MainPID", name])).trim();
    const before = await main();
    await inMachine(host, name, ["reboot", "-f"]);
    await expect.poll(main).not.toMatch(new RegExp(`^(0|${before})$`));
    await expect.poll(() => stateOf(name)).toBe("active");
    expect(await files(name)).toBe(name === "b-keep" ? "crash inside orderly" : "");
  }
});

test("every update begins with a clean layer, and the plan says so before", async () => {
  await writeScript(host, "/root/s/b-keep.ts", setupScript(machines["b-keep"], 'WITH({ Environment: { NEW: "1" } });'));
  const plan = await succeed(host, ["/root/s/b-keep.ts", "--plan"]);
  expect(plan).toContain("what the machine writes stays until the next update");
  expect(plan).toMatch(/what it has written is kept for a rollback {2}\S+\/b-keep\/1\n {2}begins with a clean writable layer/);
  await succeed(host, ["/root/s/b-keep.ts"]);
  expect(await files("b-keep")).toBe("");
});
