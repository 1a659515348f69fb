import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { hasCode, NspawnError, type Problem } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import { type Place, placeOfError } from "../base/place.js";
import { keywords } from "../dsl/call.js";

/** What a script threw, or Node of it, as a problem with its place: of a script that threw no Error, its first line. */
export function problemOf(error: unknown, script: string): Problem {
  const start = { file: script, line: 1 };
  if (!(error instanceof Error)) {
    const message = `the script threw ${typeof error === "string" ? error : inspect(error)}`;
    return { at: start, message, hint: "an Error knows its line: throw new Error(…)" };
  }
  const known = loaderProblem(error) ?? exportProblem(error) ?? syntaxProblem(error) ?? nameProblem(error);
  const at = placeOfError(error, isScript) ?? start;
  // Where nothing says what else it is, the class of an error is news; that it is an Error is none.
  const isOurs = error instanceof NspawnError || isImportError(error) || error.name === "Error";
  const message = isOurs ? error.message : `${error.name}: ${error.message}`;
  return { at, message, hint: error instanceof NspawnError ? error.hint : undefined, ...known };
}

/** Whether a file is none of ours, and none of a library. The scripts of packaged services are scripts wherever the package is. */
export function isScript(file: string): boolean {
  const ours = resolve(import.meta.dirname, "..");
  if (file.startsWith(`${resolve(ours, "../services")}/`)) return true;
  return file.startsWith("/") && !file.startsWith(`${ours}/`) && !file.includes("/node_modules/");
}

/** Errors of the loader's thread come as text alone: "FILE:LINE:COLUMN: message", see hooks.ts. */
function loaderProblem(error: Error): Problem | undefined {
  const match = error instanceof SyntaxError || isImportError(error) ? /^(\/.*?):(\d+):(\d+): (.*)$/s.exec(error.message) : null;
  if (!match) return undefined;
  const [, file = "", line, columnFrom1, message = ""] = match;
  const column = Number(columnFrom1) - 1;
  const at = { file, line: Number(line) };
  const [, specifier] = /^cannot import "([^"]*)"/.exec(message) ?? [];
  if (specifier === undefined) return { at, message, column, near: wordAt(lineOf(file, at.line), column) };
  const isMeantForUs = specifier === "nspawn" || specifier.startsWith("nspawn/");
  const hint = isMeantForUs ? 'the keywords come from "nspawn/build" and "nspawn/setup"' : undefined;
  return {
    at,
    message: isMeantForUs ? `cannot import ${JSON.stringify(specifier)}: there is no such module` : message,
    column,
    near: specifier,
    hint,
  };
}

/** Node puts the place of a JavaScript syntax error before the stack, on a line of its own. */
function syntaxProblem(error: Error): Problem | undefined {
  const at = error instanceof SyntaxError ? placeBeforeStack(error) : undefined;
  return at && { at, message: error.message };
}

/** A path, or a URL where there is no source map. */
function placeBeforeStack(error: Error): Place | undefined {
  const [, file, line] = /^((?:file:\/\/)?\/.*?):(\d+)\n/.exec(error.stack ?? "") ?? [];
  return file === undefined ? undefined : { file: file.startsWith("file:") ? fileURLToPath(file) : file, line: Number(line) };
}

/** An import of what a module does not have. Node knows the file; the line is that of the compiled text. */
function exportProblem(error: Error): Problem | undefined {
  const [, module, name] = /^The requested module '(.*)' does not provide an export named '(.*)'$/s.exec(error.message) ?? [];
  const file = placeBeforeStack(error)?.file;
  if (module === undefined || name === undefined || file === undefined) return undefined;
  const { line, column } = importOf(file, module, name);
  const message = `${JSON.stringify(module)} has no ${name}`;
  return { at: { file, line }, message, column, near: name, hint: exportHint(module, name) };
}

function exportHint(module: string, name: string): string | undefined {
  const kind = /^nspawn\/(build|setup)$/.exec(module)?.[1] as "build" | "setup" | undefined;
  if (!kind) return undefined;
  const other = kind === "build" ? "setup" : "build";
  if ((keywords[other] as readonly string[]).includes(name)) return `${name} is a keyword of ${other} scripts`;
  return didYouMean(name, [...keywords[kind], "TOOL"]) ?? `it has ${keywords[kind].join(", ")} and TOOL`;
}

/** A name that nothing declares may be a keyword that was not imported, or was mistyped. */
function nameProblem(error: Error): Partial<Problem> | undefined {
  const [, name] = error instanceof ReferenceError ? (/^([\w$]+) is not defined\b/.exec(error.message) ?? []) : [];
  if (name === undefined) return undefined;
  const all = [...new Set([...keywords.build, ...keywords.setup, "TOOL"])];
  const hint = all.includes(name) ? `import { ${name} } from "nspawn/build" or "nspawn/setup"` : didYouMean(name, all);
  return { message: `${name} is not defined`, near: name, hint: ofCommonJs[name] ?? hint };
}

/** What only CommonJS has, and what modules have for it. */
const ofCommonJs: Readonly<Record<string, string>> = {
  require: 'scripts are ES modules: import { … } from "…"',
  module: "scripts are ES modules: export …",
  exports: "scripts are ES modules: export …",
  __dirname: "scripts are ES modules: import.meta.dirname",
  __filename: "scripts are ES modules: import.meta.filename",
};

/** Where a script imports a name from a module. */
function importOf(file: string, module: string, name: string): { readonly line: number; readonly column: number } {
  const text = readText(file);
  const imports = /\b(?:import|export)\b[^;"']*?\bfrom\s*(["'])(.*?)\1/gs;
  for (const { 0: statement, 2: from, index } of text.matchAll(imports)) {
    const at = from === module ? statement.search(new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`)) : -1;
    if (at < 0) continue;
    const before = text.slice(0, index + at).split("\n");
    return { line: before.length, column: before.at(-1)?.length ?? 0 };
  }
  return { line: 1, column: 0 };
}

/** The word at a column, or the character there. */
function wordAt(line: string, column: number): string | undefined {
  return /^(?:[\w$]+|\S)/.exec(line.slice(column))?.[0];
}

function lineOf(file: string, line: number): string {
  return readText(file).split("\n")[line - 1] ?? "";
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // The message stands for itself.
    return "";
  }
}

/** Whether an error is Node's, of an import that leads nowhere. */
export function isImportError(error: Error): boolean {
  const codes = [
    "MODULE_NOT_FOUND",
    "PACKAGE_PATH_NOT_EXPORTED",
    "UNSUPPORTED_DIR_IMPORT",
    "INVALID_MODULE_SPECIFIER",
    "PACKAGE_IMPORT_NOT_DEFINED",
  ];
  return hasCode(error, ...codes.map((code) => `ERR_${code}`));
}
