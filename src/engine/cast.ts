import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type ByteName, bytePath, showName } from "../base/byte-path.js";
import { NspawnError } from "../base/errors.js";
import { textOf } from "../base/utf8.js";
import type { Argv, Host } from "../host/host.js";
import type { StepOf } from "../plan/step.js";
import { TemplateRenderer } from "../template/template.js";

/**
 * Renders the template of a CAST, a file or all files of a folder, into a scratch folder. Templates that it includes, imports or
 * extends lie in the script's folder.
 * @param folder the script's folder
 * @returns the rendered file or folder, which has the templates' attributes
 * @throws NspawnError with the template's file and line
 */
export async function renderCast(host: Host, step: StepOf<"cast">, folder: string, scratch: string): Promise<string> {
  const { source, target } = step;
  const staged = join(scratch, basename(source));
  const copyAttributes: Argv = ["cp", "--archive", "--force", "--attributes-only", "--no-target-directory", "--", source, staged];
  await host.run({ argv: copyAttributes });
  // As the script wrote it: where the script lies on this host is nothing for an image.
  const variables = { ...step.variables, source: source.slice(folder.length) || "/", target };
  const renderer = new TemplateRenderer(folder);
  try {
    const rendered = new Set<number>();
    for (const name of filesOf(staged, "")) {
      const file = bytePath(staged, name);
      // Hard links are one file: rendered once.
      const { ino } = lstatSync(file);
      const path = name === "" ? source : `${source}/${showName(name)}`;
      // Not truncated, which it need not be: ext4 would write each file to disk at once.
      if (!rendered.has(ino))
        writeFileSync(file, renderer.render(path, textOfTemplate(bytePath(source, name), path), variables), { flag: "r+" });
      rendered.add(ino);
    }
  } finally {
    renderer.free();
  }
  // Rendering has changed the times.
  await host.run({ argv: copyAttributes });
  return staged;
}

/** The regular files at or below a path, relative to it. */
function filesOf(root: string, path: ByteName): readonly ByteName[] {
  const stats = lstatSync(bytePath(root, path));
  if (!stats.isDirectory()) return stats.isFile() ? [path] : [];
  return readdirSync(bytePath(root, path), { encoding: "latin1" }).flatMap((name) => filesOf(root, path === "" ? name : `${path}/${name}`));
}

function textOfTemplate(file: Buffer, path: string): string {
  const text = textOf(readFileSync(file));
  if (text !== undefined) return text;
  throw new NspawnError(`${path} is no text in UTF-8, so it cannot be a template`, { hint: "use COPY for it" });
}
