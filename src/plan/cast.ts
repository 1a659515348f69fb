import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { type ByteName, bytePath, showName } from "../base/byte-path.js";
import { hasCode, messageOf, NspawnError, type Problem } from "../base/errors.js";
import { decodeUtf8 } from "../base/utf8.js";
import { TemplateRenderer } from "../template/template.js";
import { checkSources } from "./source.js";
import type { StepOf, WorkStep } from "./step.js";

/** One template of a CAST: its name below the source (empty for the source itself), and its path in messages. */
type Template = { readonly name: ByteName; readonly path: string };

/**
 * Renders all templates of all CASTs, and keeps nothing of it: all that they are made of is known by now.
 * @param folder the script's folder
 */
export function checkCasts(work: readonly WorkStep[], folder: string): readonly Problem[] {
  return work.flatMap((step) => {
    // What is wrong with the source itself has its own problem.
    if (step.kind !== "cast" || checkSources([step], folder).length > 0) return [];
    return [...checkCast(step, folder)];
  });
}

function* checkCast(step: StepOf<"cast">, folder: string): Generator<Problem> {
  try {
    for (const template of templatesOf(step.source)) yield* checkTemplate(step, template, folder);
  } catch (error) {
    if (!hasCode(error, "EACCES")) throw error;
    // Of a folder that this user may not read nothing can be told; whoever does the work may read it.
  }
}

/** Renders one template. */
export function renderCastFile(step: StepOf<"cast">, { name, path }: Template, folder: string): string {
  const { source, target } = step;
  // As the script wrote it: where the script lies on this host is nothing for an image.
  const variables = { ...step.variables, source: source.slice(folder.length) || "/", target };
  const text = decodeUtf8(readFileSync(bytePath(source, name)));
  if (text === undefined) throw new NspawnError(`${path} is no text in UTF-8, so it cannot be a template`, { hint: "use COPY for it" });
  // One for each file: what it has read goes with it, however large the folder is.
  const renderer = new TemplateRenderer(folder);
  try {
    return renderer.render(path, text, variables);
  } finally {
    renderer.free();
  }
}

/** The regular files at or below a path. Hard links are one file, which is there once. */
export function templatesOf(source: string): Iterable<Template> {
  return below(source, "", new Set());
}

function* below(source: string, name: ByteName, seen: Set<string>): Generator<Template> {
  const path = bytePath(source, name);
  const stats = lstatSync(path);
  if (stats.isDirectory()) {
    for (const child of readdirSync(path, { encoding: "latin1" })) yield* below(source, name === "" ? child : `${name}/${child}`, seen);
    return;
  }
  const file = `${stats.dev}:${stats.ino}`;
  if (!stats.isFile() || (stats.nlink > 1 && seen.has(file))) return;
  if (stats.nlink > 1) seen.add(file);
  yield { name, path: name === "" ? source : `${source}/${showName(name)}` };
}

function checkTemplate(step: StepOf<"cast">, template: Template, folder: string): readonly Problem[] {
  try {
    renderCastFile(step, template, folder);
    return [];
  } catch (error) {
    if (hasCode(error, "EACCES")) return [];
    const hint = error instanceof NspawnError ? error.hint : undefined;
    // As seen from the script.
    const message = messageOf(error).replace(`${folder}/`, "");
    return [{ at: step.at, message: `CAST: ${message}`, hint, cause: error }];
  }
}
