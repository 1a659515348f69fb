/**
 * Module hooks (https://nodejs.org/api/module.html#customization-hooks) for what Node loads itself. They run in Node's loader thread,
 * apart from everything else. Nothing is written: compiled scripts live in memory only.
 */
import { readFile } from "node:fs/promises";
import type { LoadHook, ResolveHook } from "node:module";
import { fileURLToPath } from "node:url";
import { addImportPlace, compile } from "./compile.js";
import { isRelative, type ScriptUrls, typescriptFile } from "./find-module.js";

let data: ScriptUrls = { script: "", package: "", keywords: {} };

export function initialize(given: ScriptUrls): void {
  data = given;
}

export const resolve: ResolveHook = async (specifier, context, next) => {
  const keywords = data.keywords[specifier];
  if (keywords !== undefined) return { url: keywords, format: "module", shortCircuit: true };
  if (specifier === data.script) return { url: specifier, format: "module", shortCircuit: true };
  try {
    return await next(specifier, context);
  } catch (error) {
    const url = isRelative(specifier) ? typescriptFile(specifier, context.parentURL) : undefined;
    if (url === undefined) throw await withImportPlace(error, specifier, context.parentURL);
    return { url, format: "module", shortCircuit: true };
  }
};

export const load: LoadHook = async (url, context, next) => {
  if (!url.startsWith("file:") || !isOwn(url, context.format)) return next(url, context);
  const { code, map } = compile(fileURLToPath(url), await readFile(new URL(url), "utf8"));
  const encoded = Buffer.from(JSON.stringify(map)).toString("base64");
  return { format: "module", shortCircuit: true, source: `${code}\n//# sourceMappingURL=data:application/json;base64,${encoded}` };
};

/** The script and its own modules: the script itself is a module whatever the nearest package.json says. */
function isOwn(url: string, format: string | null | undefined): boolean {
  const { pathname } = new URL(url);
  if (url === data.script || /\.m?ts$/.test(pathname)) return true;
  return format === "module" && !pathname.includes("/node_modules/") && !url.startsWith(data.package);
}

async function withImportPlace(error: unknown, specifier: string, parent: string | undefined): Promise<unknown> {
  if (!(error instanceof Error) || !parent?.startsWith("file:") || parent.startsWith(data.package)) return error;
  const path = fileURLToPath(parent);
  addImportPlace(error, specifier, path, await readFile(path, "utf8").catch(() => ""));
  return error;
}
