import { join } from "node:path";
import { CommandError, NspawnError } from "../../base/errors.js";
import { writeWhole } from "../../host/files.js";
import type { SetupContext } from "../context.js";

/**
 * Asks systemd whether a unit is right, before it is installed.
 * @throws NspawnError with what systemd-analyze(1) says
 */
export async function verifyUnit({ host, store }: SetupContext, service: string, text: string): Promise<void> {
  await store.whileTemporary(async (folder) => {
    const path = join(folder, service);
    await writeWhole(path, text);
    try {
      await host.run({ argv: ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "--", path] });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const hint = "check unitConf, serviceConf, installConf and the template of MACHINE";
      throw new NspawnError(`systemd refuses the unit ${service}`, { cause: error, hint });
    }
  });
}
