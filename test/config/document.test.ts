import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configDocument, configFile } from "../../src/config/document.js";
import { loadConfig } from "../../src/config/load.js";
import { schema } from "../../src/config/schema.js";
import { tempFolder } from "../support/temp.js";

const project = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("docs/config.md and config.ini are what scripts/generate would write", () => {
  expect(project("docs/config.md")).toBe(configDocument());
  expect(project("config.ini")).toBe(configFile());
});

test("config.ini as it is says nothing; with the sign before each default taken away it says the defaults", () => {
  const path = join(tempFolder(), "config.ini");
  const environment = { HOME: "/root", NSPAWN_CONFIG_PATH_LIST: path };
  const defaults = loadConfig({ environment: { HOME: "/root", NSPAWN_CONFIG_PATH_LIST: "/nowhere" } });
  const withoutList = ({ config }: typeof defaults) => ({ ...config, config: {} });
  writeFileSync(path, configFile());
  expect(withoutList(loadConfig({ environment }))).toEqual(withoutList(defaults));
  const uncommented = configFile().replace(/^#(?=[a-z]| {2})/gm, "");
  writeFileSync(path, uncommented);
  const loaded = loadConfig({ environment });
  expect(withoutList(loaded)).toEqual(withoutList(defaults));
  expect(loaded.warnings).toEqual([]);
  for (const { keys } of Object.values(schema)) {
    for (const name of Object.keys(keys)) expect(uncommented).toMatch(new RegExp(`^${name} =`, "m"));
  }
});

test("every section and key is in the document", () => {
  for (const [section, { keys }] of Object.entries(schema)) {
    expect(configDocument()).toContain(`\n## [${section}]\n`);
    for (const name of Object.keys(keys)) expect(configDocument()).toContain(`\n| \`${name}\` | `);
  }
});
