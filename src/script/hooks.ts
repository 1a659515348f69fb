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
    if (url === undefined) throw error;
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
function compile(path: string, source: string): string {
  const { code, map, errors } = transformSync(path, source, {
    lang: /\.m?js$/.test(path) ? "js" : "ts",
    sourceType: "module",
    sourcemap: true,
    typescript: { onlyRemoveTypeImports: false },
  });
  const error = errors.find(({ severity }) => severity === "Error");
  if (error) {
    const line = source.slice(0, error.labels[0]?.start ?? 0).split("\n").length;
    throw new SyntaxError(`${path}:${line}: ${error.message}`);
  }
  return map ? `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString("base64")}` : code;
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
