import { resolve } from "node:path";

/** Settings of the tool itself. */
export type Config = {
  /** The image store. */
  readonly storageRoot: string;
  /** Where machines' roots are mounted. */
  readonly machinesFolder: string;
  /** Where machines' units are. */
  readonly unitFolder: string;
  /** How SH runs its script: the script comes after these. */
  readonly shellInvoke: readonly string[];
};

export const defaultConfig: Config = {
  storageRoot: "/var/lib/nspawn",
  machinesFolder: "/var/lib/machines",
  unitFolder: "/etc/systemd/system",
  shellInvoke: ["/usr/bin/env", "sh", "-e", "-c"],
};

/** The defaults, with what the environment overrides: NSPAWN_STORAGE_ROOT. */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  return { ...defaultConfig, storageRoot: resolve(environment.NSPAWN_STORAGE_ROOT || defaultConfig.storageRoot) };
}
