import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type ByteName, bytePath, showName } from "../base/byte-path.js";
import { NspawnError } from "../base/errors.js";
import { renderTemplate } from "../base/template.js";
import type { Host } from "../host/host.js";
import type { StepOf } from "../plan/step.js";

/**
 * Renders the template of a CAST, a file or all files of a folder, into a scratch folder.
 * @param folder the script's folder
 * @returns the rendered file or folder, which has the templates' attributes
 */
export async function renderCast(host: Host, step: StepOf<"cast">, folder: string, scratch: string): Promise<string> {
  const { source, target } = step;
  const staged = join(scratch, basename(source));
  await host.run({ argv: ["cp", "--archive", "--no-target-directory", "--", source, staged] });
  // As the script wrote it: where the script lies on this host is nothing for an image.
  const variables = { ...step.variables, source: source.slice(folder.length) || "/", target };
  const rendered = new Set<number>();
  for (const name of filesOf(staged, "")) {
    // Hard links are one file: rendered once.
    const { ino } = lstatSync(bytePath(staged, name));
    if (!rendered.has(ino)) renderInPlace(bytePath(staged, name), name === "" ? source : `${source}/${showName(name)}`, variables);
    rendered.add(ino);
  }
  // Rendering has changed the times.
  await host.run({ argv: ["cp", "--archive", "--force", "--attributes-only", "--no-target-directory", "--", source, staged] });
  return staged;
}

/** The regular files at or below a path, relative to it. */
function filesOf(root: string, path: ByteName): readonly ByteName[] {
  const stats = lstatSync(bytePath(root, path));
  if (!stats.isDirectory()) return stats.isFile() ? [path] : [];
  return readdirSync(bytePath(root, path), { encoding: "latin1" }).flatMap((name) => filesOf(root, path === "" ? name : `${path}/${name}`));
}

function renderInPlace(file: Buffer, source: string, variables: Readonly<Record<string, unknown>>): void {
  const bytes = readFileSync(file);
  const template = bytes.toString("utf8");
  if (bytes.includes(0) || !Buffer.from(template).equals(bytes)) {
    throw new NspawnError(`${source} is no text in UTF-8, so it cannot be a template`, { hint: "use COPY for it" });
  }
  writeFileSync(file, renderTemplate(source, template, variables));
}
