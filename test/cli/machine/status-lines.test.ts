import { expect, test } from "vitest";
import { shownStatus } from "../../../src/cli/machine/status.js";
import { statusLines } from "../../../src/cli/machine/status-lines.js";
import type { MachineDetails } from "../../../src/engine/machine/status.js";
import { digest, url } from "../../support/inventory.js";
import { machineRow } from "../../support/machine-row.js";

const plain = (_: unknown, text: string): string => text;
const now = new Date("2026-11-24T12:00:00.000Z");
const time = "2026-11-21T12:00:00.000Z";

function details(fields: Partial<MachineDetails> = {}): MachineDetails {
  return {
    ...machineRow({
      newer: { answer: "yes" },
      addresses: ["10.0.0.2"],
      usage: { cpuSeconds: 1.5, memoryBytes: 12_345_678, tasks: 4, by: "group" },
    }),
    unit: "/etc/systemd/system/web.service",
    script: "/srv/web/setup.ts",
    systemd: { load: "loaded", active: "active", sub: "running", result: "success" },
    failure: undefined,
    restarts: 0,
    cpus: 0.053,
    limits: { cpus: 0.5, memoryBytes: undefined, tasks: 16384 },
    layers: [
      { url: url("web"), digest: digest("web"), time, newer: { answer: "yes" } },
      { url: url("base"), digest: digest("base"), time, newer: { answer: "unknown", why: "no answer within 3 s" } },
    ],
    settings: [{ name: "Hostname", value: "a\nb", origin: "/srv/web/setup.ts:5" }],
    root: { state: "volatile", folder: "/var/lib/nspawn/runtime/web/2", bytes: 4096 },
    generations: [
      { number: 1, time, image: url("web"), digest: digest("old"), current: false },
      { number: 2, time: "2026-11-24T11:59:30.000Z", image: url("web"), digest: digest("web"), current: true },
    ],
    lockedBy: undefined,
    trouble: [],
    ...fields,
  };
}

test("all of a machine that runs", () => {
  expect(statusLines(details(), plain, now).join("\n")).toMatchInlineSnapshot(`
    "machine web  running
    state
      running since 2026-11-24T10:00:00.000Z, for 2 h 00 min  active (running)
      starts with the host
    unit
      /etc/systemd/system/web.service
      from /srv/web/setup.ts
    image
      https://h/web.tar.gz
      sha256:7765622e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e
      in the store since 2026-11-21T12:00:00.000Z, 3 days ago
      its URL has a newer one
    layers, the top one first (2)
      https://h/web.tar.gz   sha256:7765622e2e2e, its URL has a newer one
      https://h/base.tar.gz  sha256:626173652e2e, whether its URL has a newer one is not known: no answer within 3 s
    settings
      Hostname=a\\nb  /srv/web/setup.ts:5
    writable layer
      is gone when the machine stops; 4.1 kB now
      /var/lib/nspawn/runtime/web/2
    network
      10.0.0.2
    takes
      CPU 1.50 s, now 5.3 % of a CPU  at most 50 % of a CPU
      memory 12.3 MB                  no limit
      tasks 4                         at most 16384
    generations
      1  sha256:6f6c642e2e2e  3 days ago       https://h/web.tar.gz
      2  sha256:7765622e2e2e  just now  (now)  https://h/web.tar.gz"
  `);
});

test("a machine that has failed says why, with its last lines, which cannot touch the terminal; and who works on it", () => {
  const failure = { result: "exit-code", status: 1, journal: ["\u001b]0;title\u0007cannot bind"] };
  const text = statusLines(
    details({ state: "failed", uptime: undefined, failure, restarts: 3, lockedBy: "process 12 (machine web)", trouble: ["reload"] }),
    plain,
    now,
  ).join("\n");
  expect(text).toContain("machine web  failed\n");
  expect(text).toContain("last failure\n  exit-code, exit code 1\n  │ cannot bind\n");
  expect(text).toContain("was started again 3 times");
  expect(text).toContain("locked\n  by process 12 (machine web)");
  expect(text).toContain("trouble\n  reload");
});

test("the exit code is 1 unless all of them run, and programs get an array", () => {
  const codes = (...states: readonly MachineDetails["state"][]): number | undefined =>
    shownStatus(
      states.map((state) => details({ state })),
      statusLines,
    ).exitCode;
  expect(codes("running", "running")).toBeUndefined();
  for (const state of ["stopped", "failed", "starting", "broken"] as const) expect(codes("running", state)).toBe(1);
  const both = shownStatus([details({ name: "a" }), details({ name: "b" })], statusLines);
  expect(both.data).toMatchObject([{ name: "a" }, { name: "b" }]);
  expect(both.lines(plain, 80).filter((line) => line.startsWith("machine "))).toHaveLength(2);
});
