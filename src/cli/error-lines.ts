import { inspect } from "node:util";
import {
  CommandError,
  ConfigError,
  InterruptedError,
  messageOf,
  NspawnError,
  ProblemsError,
  ScriptError,
  StepError,
  TemplateError,
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
  const lines = error instanceof ProblemsError ? problemLines(error, paint) : otherLines(error, paint);
  return stack && error instanceof Error ? [...lines, ...printableLines(inspect(error))] : lines;
}

/** The command that failed, if that is what the error comes from. */
export function commandOf(error: unknown): CommandError | undefined {
  return causeOf(error, CommandError);
}

/** The template that is wrong, if that is what the error comes from. */
export function templateOf(error: unknown): TemplateError | undefined {
  return causeOf(error, TemplateError);
}

function causeOf<T extends Error>(error: unknown, type: new (...args: never[]) => T): T | undefined {
  if (error instanceof type) return error;
  return error instanceof Error && error.cause !== undefined ? causeOf(error.cause, type) : undefined;
}

/** What the problems come to: `2 problems in web/build.ts; nothing was done`. */
export function summary(error: ProblemsError): string {
  const { problems } = error;
  const files = [...new Set(problems.map(({ at }) => here(at.file)))];
  const count = `${problems.length} problem${problems.length === 1 ? "" : "s"} in ${files.join(" and ")}`;
  return error instanceof ScriptError ? `${count}; nothing was done` : count;
}

function problemLines(error: ProblemsError, paint: Paint): readonly string[] {
  const blocks = error.problems.map(({ at, message, hint, near, column, cause }) => {
    const command = commandOf(cause);
    return [
      ...headline(message, paint, placeHere(at)),
      ...excerpt(at, near, paint, column),
      ...templateLines(cause, paint),
      ...(command ? commandLines(command, paint) : []),
      ...hintLines(hint, paint),
    ];
  });
  if (blocks.length < 2) return blocks.flat();
  return [...blocks.flatMap((block) => [...block, ""]), summary(error)];
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
    ...templateLines(error, paint),
    ...(command ? commandLines(command, paint) : []),
    ...hintLines(error.hint, paint),
  ];
}

/** @param at `file:line` or what else it is about */
function headline(message: string, paint: Paint, at?: string): readonly string[] {
  const [first = "", ...rest] = printableLines(message);
  return [`${at === undefined ? "" : `${printable(at)}: `}${paint("red", "error:")} ${first}`, ...rest.map((line) => `  ${line}`)];
}

/** The line of a template that an error comes from. */
function templateLines(error: unknown, paint: Paint): readonly string[] {
  const template = templateOf(error);
  if (!template) return [];
  const lines = excerpt(template.at, template.near, paint, template.column);
  return lines.length > 0 ? [`  ${printable(placeHere(template.at))}:`, ...lines] : [];
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
