import { relative } from "node:path";
import { styleText } from "node:util";
import { shortDigest } from "../base/digest.js";
import { CommandError, messageOf, NspawnError, type Problem, ScriptError, StepError } from "../base/errors.js";
import type { Event, Report } from "../base/events.js";
import type { Place } from "../base/place.js";
import { shellQuote } from "../base/shell-quote.js";

export type Verbosity = "quiet" | "normal" | "verbose";

/** Prints what happens, a line each, on standard output; warnings go to standard error. */
export function reporter(verbosity: Verbosity): Report {
  return (event) => {
    if (event.kind === "warning") console.error(`${paint("yellow", "warning:", process.stderr)} ${event.text}`);
    else if (verbosity !== "quiet") for (const line of linesOf(event, verbosity)) console.log(line);
  };
}

function linesOf(event: Exclude<Event, { kind: "warning" }>, verbosity: Verbosity): readonly string[] {
  switch (event.kind) {
    case "begin":
      return [event.text];
    case "pulled":
      return [
        `${event.how === "fetched" ? "pulled" : "have"} ${event.url} ${shortDigest(event.digest)} ${showBytes(event.bytes)}${event.how === "fetched" ? time(event.seconds) : ""}`,
      ];
    case "pushed":
      return [`pushed ${event.url} ${shortDigest(event.digest)} ${showBytes(event.bytes)}${time(event.seconds)}`];
    case "step-begin":
      return [paint("bold", event.text, process.stdout)];
    case "step-end":
      return [event.cached ? "  cached" : `  done${time(event.seconds)}`];
    case "output":
      return [`  ${paint("dim", "│", process.stdout)} ${event.line}`];
    case "acted":
      return [`${event.text}${event.seconds === undefined ? "" : time(event.seconds)}`];
    case "detail":
      return verbosity === "verbose" ? [event.text] : [];
  }
}

/** Prints an error for people: what failed, where, the program's last words, and what to do. */
export function showError(error: unknown, verbosity: Verbosity): void {
  if (error instanceof ScriptError) for (const problem of error.problems) showProblem(problem);
  else for (const line of errorLines(error)) console.error(line);
  if (verbosity === "verbose" && error instanceof Error) console.error(error);
}

function showProblem({ at, message, hint }: Problem): void {
  console.error(`${showPlaceHere(at)}: ${label()} ${message}`);
  if (hint !== undefined) console.error(`  hint: ${hint}`);
}

function errorLines(error: unknown): readonly string[] {
  if (!(error instanceof NspawnError)) {
    // An error of the system, such as a full disk, says what and where by itself.
    const isSystem = error instanceof Error && "errno" in error;
    return [`${label()} ${messageOf(error)}`, ...(isSystem ? [] : ["  this is a defect of nspawn; --verbose shows where"])];
  }
  const at = error instanceof StepError ? `${showPlaceHere(error.at)}: ` : "";
  const command = findCommand(error);
  return [
    `${at}${label()} ${error.message}`,
    ...(command ? [`  command: ${shellQuote(command.argv)}`, ...lastOutput(command)] : []),
    ...(error.hint === undefined ? [] : [`  hint: ${error.hint}`]),
  ];
}

function lastOutput({ output }: CommandError): readonly string[] {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => `  | ${line}`);
}

function findCommand(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  return error instanceof Error && error.cause !== undefined ? findCommand(error.cause) : undefined;
}

/** A place with the file as seen from the current folder, if it lies there. */
function showPlaceHere({ file, line }: Place): string {
  const path = relative(process.cwd(), file);
  return `${path.startsWith("..") ? file : path}:${line}`;
}

function label(): string {
  return paint("red", "error:", process.stderr);
}

function paint(style: Parameters<typeof styleText>[0], text: string, stream: NodeJS.WriteStream): string {
  return stream.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text;
}

function time(seconds: number): string {
  return ` (${seconds.toFixed(seconds < 10 ? 2 : 1)} s)`;
}

/** Bytes in the units of SI. */
function showBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
