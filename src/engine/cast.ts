import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { bytePath } from "../base/byte-path.js";
import type { Argv, Host } from "../host/host.js";
import { renderCastFile, templatesOf } from "../plan/cast.js";
import type { StepOf } from "../plan/step.js";

/**
 * Renders the template of a CAST, a file or all files of a folder, into a scratch folder. Templates that it includes, imports or
 * extends lie in the script's folder.
 * @param folder the script's folder
 * @returns the rendered file or folder, which has the templates' attributes
 * @throws NspawnError with the template's file and line
 */
export async function renderCast(host: Host, step: StepOf<"cast">, folder: string, scratch: string): Promise<string> {
  const { source } = step;
  const staged = join(scratch, basename(source));
  const copyAttributes: Argv = ["cp", "--archive", "--force", "--attributes-only", "--no-target-directory", "--", source, staged];
  await host.run({ argv: copyAttributes });
  for (const template of templatesOf(source)) {
    // Not truncated, which it need not be: ext4 would write each file to disk at once.
    writeFileSync(bytePath(staged, template.name), renderCastFile(step, template, folder), { flag: "r+" });
  }
  // Rendering has changed the times.
  await host.run({ argv: copyAttributes });
  return staged;
}
