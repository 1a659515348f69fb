import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { type ByteName, bytePath, showName } from "../base/byte-path.js";
import { type DigestMemory, noMemory } from "../base/digest-memory.js";
import { hasCode, messageOf, NspawnError, type Problem } from "../base/errors.js";
import { sha256 } from "../base/sha256.js";
import { decodeUtf8 } from "../base/utf8.js";
import { isPlain, type Rendered, renderKey, renderTemplate } from "../template/template.js";
import { checkSources } from "./source.js";
import type { StepOf, WorkStep } from "./step.js";

/** One template of a CAST: its name below the source (empty for the source itself), and its path in messages. */
type Template = { readonly name: ByteName; readonly path: string };

/**
 * Renders all templates of all CASTs, but for those that were rendered before: all that they are made of is known by now.
 * @param folder the script's folder
 */
export function checkCasts(work: readonly WorkStep[], folder: string, renderings = noMemory): readonly Problem[] {
  return work.flatMap((step) => {
    // What is wrong with the source itself has its own problem.
    if (step.kind !== "cast" || checkSources([step], folder).length > 0) return [];
    return [...checkCast(step, folder, renderings)];
  });
}

function* checkCast(step: StepOf<"cast">, folder: string, renderings: DigestMemory): Generator<Problem> {
  try {
    for (const template of templatesOf(step.source)) yield* checkTemplate(step, template, folder, renderings);
  } catch (error) {
    if (!hasCode(error, "EACCES")) throw error;
    // Of a folder that this user may not read nothing can be told; whoever does the work may read it.
  }
}

/** Renders one template. */
export function renderCastFile(step: StepOf<"cast">, template: Template, folder: string): string {
  return render(made(step, template, folder), folder).text;
}

/**
 * SHA-256 of what a template is rendered to, in hex. It is not rendered if that is known. What is made of other templates too is not kept: those may
 * change.
 */
export function castDigest(step: StepOf<"cast">, template: Template, folder: string, renderings: DigestMemory): string {
  return digestOf(made(step, template, folder), folder, renderings);
}

function digestOf(from: Made, folder: string, renderings: DigestMemory): string {
  const known = renderings.find(renderKey(from.text, from.variables));
  if (known !== undefined) return known;
  const { text, key } = render(from, folder);
  const digest = sha256(text);
  if (key !== undefined) renderings.note(key, digest);
  return digest;
}

/** Whether it takes no interpreter to tell what a CAST is rendered to. */
export function isRendered(step: StepOf<"cast">, folder: string, renderings: DigestMemory): boolean {
  try {
    return [...templatesOf(step.source)].every((template) => {
      const { text, variables } = made(step, template, folder);
      return isPlain(text, variables) || renderings.find(renderKey(text, variables)) !== undefined;
    });
  } catch {
    // What is wrong is told when it is checked.
    return false;
  }
}

/** What a file of a CAST is made of. */
type Made = { readonly path: string; readonly text: string; readonly variables: Readonly<Record<string, unknown>> };

function made({ source, target, variables }: StepOf<"cast">, { name, path }: Template, folder: string): Made {
  const text = decodeUtf8(readFileSync(bytePath(source, name)));
  if (text === undefined) throw new NspawnError(`${path} is no text in UTF-8, so it cannot be a template`, { hint: "use COPY for it" });
  // As the script wrote it: where the script lies on this host is nothing for an image.
  return { path, text, variables: { ...variables, source: source.slice(folder.length) || "/", target } };
}

function render({ path, text, variables }: Made, folder: string): Rendered {
  // One renderer for each file: what it has read goes with it, however large the folder is.
  return renderTemplate(path, text, variables, folder);
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

function checkTemplate(step: StepOf<"cast">, template: Template, folder: string, renderings: DigestMemory): readonly Problem[] {
  try {
    const from = made(step, template, folder);
    if (!isPlain(from.text, from.variables)) digestOf(from, folder, renderings);
    return [];
  } catch (error) {
    if (hasCode(error, "EACCES")) return [];
    const hint = error instanceof NspawnError ? error.hint : undefined;
    // As seen from the script.
    const message = messageOf(error).replace(`${folder}/`, "");
    return [{ at: step.at, message: `CAST: ${message}`, hint, cause: error }];
  }
}
