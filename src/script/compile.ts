import { transformSync } from "oxc-transform";

/** JavaScript, and how its places lead back to the source: https://tc39.es/source-map/. */
export type Compiled = { readonly code: string; readonly map: SourceMapPayload | undefined };

type SourceMapPayload = NonNullable<ReturnType<typeof transformSync>["map"]>;

/**
 * TypeScript to JavaScript, in memory. JavaScript goes the same way, so that its errors look the same.
 * @param path of the source, for messages
 * @throws SyntaxError whose message begins with `PATH:LINE:COLUMN: `
 */
export function compile(path: string, text: string): Compiled {
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
  return { code, map };
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

/**
 * Puts the place of an import before the message of an error that it has failed with, as in errors of {@link compile}: Node's own names the
 * file at most.
 * @param path of the importing file
 */
export function addImportPlace(error: Error, specifier: string, path: string, source: string): void {
  const position = [`"${specifier}"`, `'${specifier}'`].map((quoted) => source.indexOf(quoted)).find((index) => index >= 0);
  if (position !== undefined)
    error.message = `${path}:${placeAt(source, position)}: cannot import ${JSON.stringify(specifier)}: ${error.message}`;
}
