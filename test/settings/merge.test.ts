import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SettingName } from "../../src/settings/catalog.js";
import { mergeSettings, type SettingSource } from "../../src/settings/merge.js";

function source(origin: string, entries: readonly string[], removed: readonly SettingName[] = []): SettingSource {
  return {
    origin,
    removed,
    entries: entries.map((line) => ({
      name: line.slice(0, line.indexOf("=")) as SettingName,
      value: line.slice(line.indexOf("=") + 1),
    })),
  };
}

function merged(...sources: readonly SettingSource[]): readonly string[] {
  return mergeSettings(sources).map(({ name, value, origin }) => `${name}=${value} ${origin}`);
}

describe("mergeSettings", () => {
  test("a single value is the nearest one", () => {
    expect(merged(source("far", ["Hostname=a", "Boot=yes"]), source("near", ["Hostname=b"]))).toEqual(["Boot=yes far", "Hostname=b near"]);
  });

  test("lists add up, farthest first", () => {
    expect(merged(source("far", ["Bind=/a", "Bind=/b"]), source("near", ["Bind=/c"]))).toEqual([
      "Bind=/a far",
      "Bind=/b far",
      "Bind=/c near",
    ]);
  });

  test("of one environment variable the nearest value stays, other variables add up", () => {
    expect(merged(source("far", ["Environment=A=1", "Environment=B=x=y"]), source("near", ["Environment=A=2"]))).toEqual([
      "Environment=B=x=y far",
      "Environment=A=2 near",
    ]);
  });

  test("what a source removes is gone from all below it, and nothing above", () => {
    expect(merged(source("far", ["Bind=/a", "Boot=yes"]), source("near", ["Bind=/b"], ["Bind"]), source("nearest", ["Bind=/c"]))).toEqual([
      "Boot=yes far",
      "Bind=/b near",
      "Bind=/c nearest",
    ]);
  });

  test("nothing from nothing", () => {
    expect(merged()).toEqual([]);
  });

  test("the same item counts once, as that of the nearest", () => {
    expect(merged(source("far", ["Capability=CAP_KILL", "Capability=CAP_BPF"]), source("near", ["Capability=CAP_KILL"]))).toEqual([
      "Capability=CAP_BPF far",
      "Capability=CAP_KILL near",
    ]);
  });

  test("arguments add up as they are, the same one twice", () => {
    expect(merged(source("far", ["Parameters=-v"]), source("near", ["Parameters=-v"]))).toEqual([
      "Parameters=-v far",
      "Parameters=-v near",
    ]);
  });

  test("of mounts in one place the nearest stays, whatever kind they are", () => {
    expect(merged(source("far", ["Bind=/a:/x", "Bind=/a:/y"]), source("near", ["TemporaryFileSystem=/x/:size=1G"]))).toEqual([
      "Bind=/a:/y far",
      "TemporaryFileSystem=/x/:size=1G near",
    ]);
    expect(merged(source("far", ["Inaccessible=/x"]), source("near", ["BindReadOnly=/a:/x:rbind"]))).toEqual([
      "BindReadOnly=/a:/x:rbind near",
    ]);
    expect(merged(source("far", ["Overlay=/a:/b:/x\\:y"]), source("near", ["Bind=+/x\\:y"]))).toEqual(["Bind=+/x\\:y near"]);
  });

  test("of one port of the host the nearest stays, and of one credential", () => {
    expect(merged(source("far", ["Port=80", "Port=udp:80"]), source("near", ["Port=tcp:80:8080"]))).toEqual([
      "Port=udp:80 far",
      "Port=tcp:80:8080 near",
    ]);
    expect(merged(source("far", ["LoadCredential=a:/b", "LoadCredential=c:/d"]), source("near", ["SetCredential=a:x"]))).toEqual([
      "LoadCredential=c:/d far",
      "SetCredential=a:x near",
    ]);
  });

  test("merging twice is merging once, and nothing of the nearest gets lost", () => {
    const line = fc.constantFrom(
      "Hostname=a",
      "Hostname=b",
      "Bind=/a",
      "Bind=/b:/a",
      "Port=80",
      "Port=81",
      "Environment=A=1",
      "Environment=A=2",
    );
    const any = fc.array(fc.array(line, { maxLength: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(any, (all) => {
        const sources = all.map((lines, index) => source(String(index), lines));
        const once = mergeSettings(sources);
        expect(mergeSettings([{ origin: "o", removed: [], entries: once }]).map(({ value }) => value)).toEqual(
          once.map(({ value }) => value),
        );
        const nearest = mergeSettings(sources.slice(-1));
        for (const setting of nearest) expect(once).toContainEqual(setting);
      }),
    );
  });

  test("what a hostile image repeats many times is settled in time", () => {
    const entries = Array.from({ length: 100_000 }, (_, i) => `Environment=A${i % 50_000}=1`);
    const started = performance.now();
    expect(mergeSettings([source("far", entries)])).toHaveLength(50_000);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
