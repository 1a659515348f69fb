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
});
