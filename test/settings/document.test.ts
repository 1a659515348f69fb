import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { catalog, settingNames } from "../../src/settings/catalog.js";
import { settingsDocument, settingsTypes } from "../../src/settings/document.js";

const project = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("what scripts/generate writes", () => {
  test("docs/settings.md is up to date", () => {
    expect(project("docs/settings.md")).toBe(settingsDocument());
  });

  test("src/settings/settings.ts is up to date", () => {
    expect(project("src/settings/settings.ts")).toBe(settingsTypes());
  });

  test("both have every setting once", () => {
    for (const name of settingNames) {
      expect(settingsDocument().split(`### ${name}\n`)).toHaveLength(2);
      expect(settingsTypes().split(`readonly ${name}?:`)).toHaveLength(2);
    }
  });

  test.each(settingNames)("%s is documented in a sentence", (name) => {
    expect(catalog[name].doc).toMatch(/^[A-Z].*\.$/);
    expect(catalog[name].kind.expected).not.toMatch(/[.\n]$/);
  });
});
