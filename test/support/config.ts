import type { Config } from "../../src/config/config.js";
import { loadConfig } from "../../src/config/load.js";

/**
 * The defaults with a store of the test's own and with some values changed, whatever files and variables this host has.
 * @param overrides as in `--config`: `[section]key=value`
 */
export function testConfig(store: string, ...overrides: readonly string[]): Config {
  return loadConfig({ environment: { NSPAWN_STORAGE_ROOT: store }, overrides: ["[config]path_list=", ...overrides] }).config;
}
