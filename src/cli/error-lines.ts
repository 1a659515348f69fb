import { inspect } from "node:util";
import {
  CommandError,
  ConfigError,
  InterruptedError,
  messageOf,
  NspawnError,
  type Problem,
  ScriptError,
  StepError,
} from "../base/errors.js";
import { shellQuote } from "../base/shell-quote.js";
import { excerpt } from "./excerpt.js";
import { here, placeHere } from "./here.js";
import { printable, printableLines } from "./printable.js";
import type { Paint } from "./style.js";

/**
 * An error for people, in lines: `FILE:LINE: error: MESSAGE`, the line of the script, the program's last words, and what to do.
 * @param stack also where in nspawn it came from
 */
export function errorLines(error: unknown, paint: Paint, stack: boolean): readonly string[] {
  if (error instanceof InterruptedError) return ["interrupted"];
  const lines = error instanceof ScriptError ? problemLines(error.problems, paint) : otherLines(error, paint);
  return stack && error instanceof Error ? [...lines, ...printableLines(inspect(error))] : lines;
}

/** The command that failed, if that is what the error comes from. */
export function commandOf(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  return error instanceof Error && error.cause !== undefined ? commandOf(error.cause) : undefined;
}

/** What a script's problems come to: `2 problems in web/build.ts; nothing was done`. */
export function summary(problems: readonly Problem[]): string {
  const files = [...new Set(problems.map(({ at }) => here(at.file)))];
  return `${problems.length} problem${problems.length === 1 ? "" : "s"} in ${files.join(" and ")}; nothing was done`;
}

function problemLines(problems: readonly Problem[], paint: Paint): readonly string[] {
  const blocks = problems.map(({ at, message, hint, near, column }) => [
    ...headline(message, paint, placeHere(at)),
    ...excerpt(at, near, paint, column),
    ...hintLines(hint, paint),
  ]);
  if (blocks.length < 2) return blocks.flat();
  return [...blocks.flatMap((block) => [...block, ""]), summary(problems)];
}

function otherLines(error: unknown, paint: Paint): readonly string[] {
  if (!(error instanceof NspawnError)) {
    // An error of the system, such as a full disk, says what and where by itself.
    const isSystem = error instanceof Error && "errno" in error;
    return [...headline(messageOf(error), paint), ...(isSystem ? [] : ["  this is a defect of nspawn; --verbose shows where"])];
  }
  if (error instanceof ConfigError) {
    const lines = error.problems.flatMap(({ at, message }) => headline(message, paint, at));
    return [...lines, ...hintLines(error.hint, paint)];
  }
  const at = error instanceof StepError ? error.at : undefined;
  const command = commandOf(error);
  return [
    ...headline(error.message, paint, at && placeHere(at)),
    ...(at ? excerpt(at, undefined, paint) : []),
    ...(command ? commandLines(command, paint) : []),
    ...hintLines(error.hint, paint),
  ];
}

/** @param at `file:line` or what else it is about */
function headline(message: string, paint: Paint, at?: string): readonly string[] {
  const [first = "", ...rest] = printableLines(message);
  return [`${at === undefined ? "" : `${printable(at)}: `}${paint("red", "error:")} ${first}`, ...rest.map((line) => `  ${line}`)];
}

function commandLines({ argv, output }: CommandError, paint: Paint): readonly string[] {
  const [first = "", ...rest] = printableLines(shellQuote(argv));
  const words = printableLines(output).filter((line) => line !== "");
  return [`  command: ${first}`, ...rest.map((line) => `    ${line}`), ...words.map((line) => `  ${paint("dim", "|")} ${line}`)];
}

function hintLines(hint: string | undefined, paint: Paint): readonly string[] {
  if (hint === undefined) return [];
  const [first = "", ...rest] = printableLines(hint);
  return [`  ${paint("cyan", "hint:")} ${first}`, ...rest.map((line) => `        ${line}`)];
}
