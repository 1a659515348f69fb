import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../../src/cli/columns.js";
import { machineTable } from "../../../src/cli/machine/machine-table.js";
import { digest } from "../../support/inventory.js";
import { machineRow as row } from "../../support/machine-row.js";

const plain = (_: unknown, text: string): string => text;
const now = new Date("2026-11-24T12:00:00.000Z");

describe("machines in a table", () => {
  test("of all kinds", () => {
    const stopped = { state: "failed", enabled: false, uptime: undefined, network: undefined, addresses: [] } as const;
    const usage = { cpuSeconds: undefined, memoryBytes: undefined, tasks: undefined, by: "group" } as const;
    const lines = machineTable(
      [
        row({ network: "host", addresses: [], usage: { cpuSeconds: 4000, memoryBytes: 1e6, tasks: 2, by: "processes" } }),
        row({ name: "db", ...stopped, usage, image: undefined }),
        row({ name: "theirs", ours: false, image: undefined }),
      ],
      plain,
      undefined,
      now,
    );
    expect(lines).toEqual([
      "NAME    STATE    ENABLED  IMAGE                 DIGEST        AGE     ADDRESS           UPTIME             CPU   MEMORY  TASKS",
      "web     running  yes      https://h/web.tar.gz  7765622e2e2e  3 days  host              2 h 00 min  1 h 06 min  ~1.0 MB      2",
      "db      failed   no       ?",
      "theirs  running  yes      (not of nspawn)                             10.0.0.2 fd00::2  2 h 00 min      0.35 s  12.3 MB      4",
    ]);
  });

  test("with what was asked of URLs: an answer is yes, no, or not known with its reason, each once", () => {
    const unknown = { answer: "unknown", why: "no answer\u001b[31m within 3 s" } as const;
    const rows = [row({ newer: { answer: "yes" } }), row({ newer: { answer: "no" } }), row({ newer: unknown }), row({ newer: unknown })];
    const [heading, ...lines] = machineTable(rows, plain, undefined, now);
    const at = heading?.indexOf("NEWER") ?? -1;
    expect(lines.slice(0, 4).map((line) => line.slice(at, at + 7).trim())).toEqual(["yes", "no", "unknown", "unknown"]);
    expect(lines.slice(4)).toEqual(["not known: https://h/web.tar.gz: no answer within 3 s"]);
  });

  test("none", () => {
    expect(machineTable([], plain, 80, now)).toEqual(["this host has no machines of nspawn"]);
  });

  test("fits a terminal of some width: the end of the URL stays, and the columns that matter most", () => {
    const long = row({
      image: { url: `https://images.example.org/${"x/".repeat(40)}web.tar.zst`, digest: digest("web"), time: undefined },
    });
    const at80 = machineTable([long], plain, 80, now);
    expect(at80[0]).toMatch(/^NAME\s+STATE\s+ENABLED\s+IMAGE\s+ADDRESS\s+UPTIME\s+MEMORY$/);
    expect(at80[1]).toMatch(/^web\s+running\s+yes\s+….*web\.tar\.zst {2}/);
    const text = fc.string({ unit: "grapheme", maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.ipV6(), { maxLength: 5 }), fc.integer({ min: 70, max: 250 }), (name, addresses, limit) => {
        const lines = machineTable(
          [row({ addresses, image: { url: `https://h/${name}`, digest: digest("web"), time: undefined } })],
          plain,
          limit,
          now,
        );
        for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(limit);
      }),
    );
  });
});
