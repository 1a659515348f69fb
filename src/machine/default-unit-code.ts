import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "../base/sha256.js";
import { compileTemplate } from "../template/compile.js";

/** Where the template is that machines have by default. */
const defaultTemplate = join(import.meta.dirname, "../../templates/machine-default.service");

/** The module `default-unit.ts`: that template as a function. */
export function defaultUnitCode(): string {
  const source = readFileSync(defaultTemplate, "utf8");
  const lines = compileTemplate(source);
  let depth = 1;
  const body = lines.map((line) => {
    if (line.startsWith("}")) depth--;
    const indented = `${"  ".repeat(depth)}${line}\n`;
    if (line.endsWith("{")) depth++;
    return indented;
  });
  return `// Made by scripts/generate from templates/machine-default.service.
import { isTrue } from "../template/truth.js";
import type { UnitVariables } from "./unit-variables.js";

/** Of the source that this was made from, in hex. */
export const defaultTemplateDigest = "${sha256(source)}";

/** What that template becomes: the same text as from minijinja, which takes some 80 ms to get ready. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: as complex as the template.
export function defaultUnit(v: UnitVariables): string {
${body.join("")}}
`;
}
