import { lstatSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { NspawnError } from "../base/errors.js";
import { renderTemplate } from "../base/template.js";
import type { Host } from "../host/host.js";
import type { StepOf } from "../plan/step.js";

/**
 * Renders the template of a CAST, a file or all files of a folder, into a scratch folder.
 * @returns the rendered file or folder, which has the templates' attributes
 */
export async function renderCast(host: Host, step: StepOf<"cast">, scratch: string): Promise<string> {
  const staged = join(scratch, basename(step.source));
  await host.run({ argv: ["cp", "--archive", "--", step.source, staged] });
  const variables = { ...step.variables, source: step.source, target: step.target };
  for (const file of filesOf(staged)) renderInPlace(file, step.source + file.slice(staged.length), variables);
  return staged;
}

function filesOf(path: string): readonly string[] {
  const stats = lstatSync(path);
  if (stats.isDirectory()) return readdirSync(path).flatMap((name) => filesOf(join(path, name)));
  return stats.isFile() ? [path] : [];
}

/** Writes over the copy, which keeps its mode, owner and attributes; times are put back. */
function renderInPlace(file: string, source: string, variables: Readonly<Record<string, unknown>>): void {
  const bytes = readFileSync(file);
  const template = bytes.toString("utf8");
  if (bytes.includes(0) || !Buffer.from(template).equals(bytes))
    throw new NspawnError(`${source} is no text in UTF-8, so it cannot be a template`, { hint: "use COPY for it" });
  const { atime, mtime } = lstatSync(file);
  writeFileSync(file, renderTemplate(source, template, variables));
  utimesSync(file, atime, mtime);
}
