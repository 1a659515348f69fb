import { CommandError, MissingProgramError } from "../base/errors.js";
import type { Host } from "./host.js";

/** The version of this host's systemd-nspawn, such as 252; undefined if there is none. */
export async function systemdVersion(host: Host): Promise<number | undefined> {
  try {
    const { stdout } = await host.run({ argv: ["systemd-nspawn", "--version"], mayOutlive: true });
    // systemd 252 (252.39-1~deb12u1)
    const version = /^systemd (\d+)/.exec(stdout)?.[1];
    return version === undefined ? undefined : Number(version);
  } catch (error) {
    if (error instanceof MissingProgramError || error instanceof CommandError) return undefined;
    throw error;
  }
}
