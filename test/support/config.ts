import type { Config } from "../../src/config/config.js";
import { loadConfig } from "../../src/config/load.js";
import type { ArchiveLimits } from "../../src/packer/member-rules.js";

/** What fails for a moment is tried again at once. */
export const quickRetries = "[network]retry_pause=0.005";

/**
 * The defaults with a store of the test's own and with some values changed, whatever files and variables this host has.
 * @param overrides as in `--config`: `[section]key=value`
 */
export function testConfig(store: string, ...overrides: readonly string[]): Config {
  return loadConfig({ environment: { NSPAWN_STORAGE_ROOT: store }, overrides: ["[config]path_list=", quickRetries, ...overrides] }).config;
}

/** Limits of archives for tests. */
export const testLimits: ArchiveLimits = { extractLimit: 2 ** 30, extractMembers: 100_000 };
