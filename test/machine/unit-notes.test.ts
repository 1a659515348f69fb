import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { unitComment } from "../../src/machine/quote.js";
import { readNotes } from "../../src/machine/unit-notes.js";
import { unitText } from "../support/arbitrary.js";

const golden = (name: string): string => readFileSync(new URL(`./golden/${name}.service`, import.meta.url), "utf8");

test("a unit as it is rendered tells its script, layers, settings with their origins, and what happens to its root", () => {
  const notes = readNotes(golden("full"));
  expect(notes).toMatchObject({ script: "/srv/my web/100%/setup.ts", state: "keep" });
  expect(notes.layers).toEqual([
    { id: "1".repeat(16), url: "https://images.example.org/web.tar.zst", digest: `sha256:${"1".repeat(16)}${"0".repeat(48)}` },
    { id: "2".repeat(16), url: "https://images.example.org/debian.tar.zst", digest: `sha256:${"2".repeat(16)}${"0".repeat(48)}` },
  ]);
  expect(notes.settings[0]).toEqual({ name: "Boot", value: "no", origin: "https://images.example.org/web.tar.zst" });
  expect(notes.settings).toContainEqual({
    name: "Environment",
    value: 'GREETING=say "hi" to $USER, 100% \\o/\nExecStartPre=/bin/evil',
    origin: "https://images.example.org/web.tar.zst",
  });
  expect(notes.settings.map(({ name }) => name)).not.toContain("the command");
});

test("a unit that clears its root says so", () => {
  expect(readNotes(golden("plain"))).toMatchObject({ state: "volatile", settings: [] });
});

test("a unit of another template tells what it does, and no more", () => {
  const unit = "# nspawn machine web\n[Service]\nExecStart=/usr/bin/systemd-nspawn\nExecStopPost=-/usr/bin/umount /var/lib/machines/web\n";
  expect(readNotes(unit)).toEqual({ script: undefined, layers: [], settings: [], state: "keep" });
});

test("any value of a setting and any origin come back as they were written", () => {
  fc.assert(
    fc.property(unitText, fc.stringMatching(/^\/[a-z0-9 %#=]{0,20}[a-z0-9]$/), (value, path) => {
      const origin = path.replace(/ {2}#/g, "");
      const [setting] = readNotes(`#   Bind=${unitComment(JSON.stringify(value))}  # ${unitComment(origin)}\n`).settings;
      expect(setting).toEqual({ name: "Bind", value, origin });
    }),
  );
});

test("of a long value there is its start", () => {
  const [setting] = readNotes(`#   Bind=${unitComment(JSON.stringify("x".repeat(900)))}  # /srv/setup.ts:4\n`).settings;
  expect(setting?.value).toMatch(/^x{499}… \(902 characters\)$/);
  expect(setting?.origin).toBe("/srv/setup.ts:4");
});
