/**
 * Module hooks (https://nodejs.org/api/module.html#customization-hooks) for users' scripts. They run in Node's loader thread,
 * apart from everything else. Nothing is written: compiled scripts live in memory only.
 */
import { access, readFile } from "node:fs/promises";
import type { LoadHook, ResolveHook } from "node:module";
import { fileURLToPath } from "node:url";
import { transformSync } from "oxc-transform";

/** `script`: URL of the script; `package`: URL of our own package; `keywords`: what `nspawn/build` and `nspawn/setup` stand for. */
export type HookData = { readonly script: string; readonly package: string; readonly keywords: Readonly<Record<string, string>> };

let data: HookData = { script: "", package: "", keywords: {} };

export function initialize(given: HookData): void {
  data = given;
}

export const resolve: ResolveHook = async (specifier, context, next) => {
  const keywords = data.keywords[specifier];
  if (keywords !== undefined) return { url: keywords, format: "module", shortCircuit: true };
  if (specifier === data.script) return { url: specifier, format: "module", shortCircuit: true };
  try {
    return await next(specifier, context);
  } catch (error) {
    // As TypeScript does: "./helper" and "./helper.js" may stand for helper.ts.
    const url = isRelative(specifier) ? await typescriptFile(specifier, context.parentURL) : undefined;
    if (url === undefined) throw await withImportLine(error, specifier, context.parentURL);
    return { url, format: "module", shortCircuit: true };
  }
};

export const load: LoadHook = async (url, context, next) => {
  if (!url.startsWith("file:") || !isOwn(url, context.format)) return next(url, context);
  return { format: "module", shortCircuit: true, source: compile(fileURLToPath(url), await readFile(new URL(url), "utf8")) };
};

/** The script and its own modules: the script itself is a module whatever the nearest package.json says. */
function isOwn(url: string, format: string | null | undefined): boolean {
  const { pathname } = new URL(url);
  if (url === data.script || /\.m?ts$/.test(pathname)) return true;
  return format === "module" && !pathname.includes("/node_modules/") && !url.startsWith(data.package);
}

/** TypeScript to JavaScript with its source map inside. JavaScript goes the same way, so that its errors look the same. */
function compile(path: string, text: string): string {
  // A byte order mark would stand between the start of the file and its #!.
  const source = text.replace(/^\ufeff/, "");
  const { code, map, errors, helpersUsed } = transformSync(path, source, {
    lang: /\.[mc]?js$/.test(path) ? "js" : "ts",
    sourceType: "module",
    sourcemap: true,
    target: `node${process.versions.node}`,
    typescript: { onlyRemoveTypeImports: false },
    decorator: { legacy: true },
  });
  const error = errors.find(({ severity }) => severity === "Error");
  if (error) throw syntaxError(path, source, error.labels[0]?.start ?? 0, error.message);
  const [helper] = Object.keys(helpersUsed);
  if (helper !== undefined) throw withoutHelper(path, source, helper);
  return map ? `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString("base64")}` : code;
}

/** What this version of Node does not know, and what would need a library beside the script. */
function withoutHelper(path: string, source: string, helper: string): SyntaxError {
  const [name, looks] = helper.startsWith("decorate")
    ? ["decorators are", /^\s*(?:export\s+)?(?:default\s+)?@\w|[(,{;]\s*@\w/m]
    : ["`using` is", /^\s*(?:await\s+)?using\s/m];
  const found = looks.exec(source);
  return syntaxError(path, source, found ? found.index + found[0].length - 1 : 0, `${name} not supported in scripts`);
}

function syntaxError(path: string, source: string, position: number, message: string): SyntaxError {
  return new SyntaxError(`${path}:${placeAt(source, position)}: ${message}`);
}

/** `LINE:COLUMN`, both from 1. */
function placeAt(source: string, position: number): string {
  const lines = source.slice(0, position).split("\n");
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

/** An error of Node's about an import names the file at most: the place is put before its message, as in errors of the compiler. */
async function withImportLine(error: unknown, specifier: string, parent: string | undefined): Promise<unknown> {
  if (!(error instanceof Error) || !parent?.startsWith("file:") || parent.startsWith(data.package)) return error;
  const path = fileURLToPath(parent);
  const source = await readFile(path, "utf8").catch(() => "");
  const position = [`"${specifier}"`, `'${specifier}'`].map((quoted) => source.indexOf(quoted)).find((index) => index >= 0);
  if (position !== undefined)
    error.message = `${path}:${placeAt(source, position)}: cannot import ${JSON.stringify(specifier)}: ${error.message}`;
  return error;
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith("./") || specifier.startsWith("../");
}

async function typescriptFile(specifier: string, parent: string | undefined): Promise<string | undefined> {
  const base = new URL(specifier, parent).href;
  const candidates = /\.m?js$/.test(base) ? [base.replace(/js$/, "ts")] : [`${base}.ts`, `${base}.mts`, `${base}/index.ts`];
  for (const candidate of candidates) {
    const found = await access(new URL(candidate)).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  return undefined;
}
