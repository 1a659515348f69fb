import { findSourceMap, type SourceMap } from "node:module";

/** Maps of what was compiled here, by URL. Node knows only of those that it has loaded itself. */
const maps = new Map<string, SourceMap>();

/** Has places in a compiled text lead back to its source. */
export function addSourceMap(url: string, map: SourceMap): void {
  maps.set(url, map);
}

/** Line and column, both from 1, in the source as written; the same, where nothing is known of a file. */
export function sourcePlace(file: string, line: number, column: number): { readonly line: number; readonly column: number } {
  const entry = (maps.get(file) ?? findSourceMap(file))?.findEntry(line - 1, column - 1);
  if (!entry || !("originalLine" in entry)) return { line, column };
  return { line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

/** Has the stacks of all errors name places in sources, as Node does by itself of what it has loaded (`--enable-source-maps`). */
export function showSourcePlaces(): void {
  Error.prepareStackTrace = (error, sites) => [headOf(error), ...sites.map((site) => `    at ${showSite(site)}`)].join("\n");
}

function headOf(error: unknown): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}

function showSite(site: NodeJS.CallSite): string {
  const shown = site.toString();
  const [file, line, column] = [site.getFileName(), site.getLineNumber(), site.getColumnNumber()];
  if (!file || line === null || column === null) return shown;
  const place = sourcePlace(file, line, column);
  return shown.replace(`${file}:${line}:${column}`, () => `${file}:${place.line}:${place.column}`);
}
