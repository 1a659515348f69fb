import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, type Problem, ProblemsError } from "../../base/errors.js";
import { removeFile } from "../../host/files.js";
import type { SetupPlan } from "../../plan/setup-plan.js";
import { Statements } from "../../plan/statement.js";
import type { ActionContext } from "./action.js";

/**
 * Asks systemd whether a unit is right, before it is installed.
 * @throws ProblemsError with what systemd-analyze(1) says, at the line of MACHINE, or of the very line of the unit that it gives
 */
export async function verifyUnit({ host, store, plan, paths }: ActionContext, text: string): Promise<void> {
  await store.whileTemporary(async (folder) => {
    const path = join(folder, paths.service);
    await writeFile(path, text);
    try {
      await host.run({ argv: ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "--", path], mayOutlive: true });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new ProblemsError([refusal(plan, paths.service, text, error)], { cause: error });
    } finally {
      // An empty folder is removed without a program.
      await removeFile(path);
    }
  });
}

function refusal({ machine, lines }: SetupPlan, service: string, text: string, cause: CommandError): Problem {
  const message = `systemd refuses the unit ${service}`;
  const own = ownLine(machine, text, cause.output);
  if (own === undefined) {
    return { at: lines.machine, message, hint: "check unitConf, serviceConf, installConf and the template of MACHINE", cause };
  }
  const spot = new Statements().spot(lines.machine, "MACHINE", { fields: [own.field], near: own.line });
  return { ...spot, message: `${message} for this line of ${own.field}: ${own.line}`, cause };
}

/** The line that the script gives to the unit, if it is one that systemd-analyze complains of, as `…/web.service:85: …`. */
function ownLine(
  machine: SetupPlan["machine"],
  text: string,
  output: string,
): { readonly field: "unitConf" | "serviceConf" | "installConf"; readonly line: string } | undefined {
  const complaints = [...output.matchAll(/\.service:(\d+): /g)].map(([, number]) => text.split("\n")[Number(number) - 1]);
  for (const field of ["unitConf", "serviceConf", "installConf"] as const) {
    const line = machine[field].find((own) => complaints.includes(own));
    if (line !== undefined) return { field, line };
  }
  return undefined;
}
