import { statSync } from "node:fs";

/** What runs scripts has to know. `script`: URL of the script; `package`: URL of our own package; `keywords`: what `nspawn/build` and `nspawn/setup` stand for. */
export type ScriptUrls = { readonly script: string; readonly package: string; readonly keywords: Readonly<Record<string, string>> };

/** Whether an import is of a file by its place, not of a package. */
export function isRelative(specifier: string): boolean {
  return specifier.startsWith("./") || specifier.startsWith("../");
}

/** As TypeScript does: `./helper` and `./helper.js` may stand for helper.ts. */
export function typescriptFile(specifier: string, parent: string | undefined): string | undefined {
  const base = new URL(specifier, parent).href;
  const candidates = /\.m?js$/.test(base) ? [base.replace(/js$/, "ts")] : [`${base}.ts`, `${base}.mts`, `${base}/index.ts`];
  return candidates.find(isFile);
}

/** Whether there is a file at a `file:` URL. */
export function isFile(url: string): boolean {
  return statSync(new URL(url), { throwIfNoEntry: false })?.isFile() ?? false;
}
