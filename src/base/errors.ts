import { type Place, showPlace } from "./place.js";

/** Exit codes of every command: 1 the work failed, 2 the script or the call is wrong, 130 interrupted. */
export type ExitCode = 1 | 2 | 130;

/** An error meant for the person who reads it: what failed, on what, why, and what to do. */
export class NspawnError extends Error {
  override readonly name: string = "NspawnError";
  readonly exitCode: ExitCode = 1;
  /** What to do about it; shown on a line of its own. */
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
  }
}

/** The command line is wrong. */
export class UsageError extends NspawnError {
  override readonly name = "UsageError";
  override readonly exitCode = 2;
}

/**
 * One thing that is wrong in a script, with its place. `near`: the text on that line that is wrong, as far as it is known; `column`: where it
 * stands, or what stands before it, in characters from 0. `cause`: the error that it comes from, whose program may have said more.
 */
export type Problem = {
  readonly at: Place;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly near?: string | undefined;
  readonly column?: number | undefined;
  readonly cause?: unknown;
};

/** What stands against single lines of a script although they are right by themselves: an image, the host. All of it together. */
export class ProblemsError extends NspawnError {
  override readonly name: string = "ProblemsError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options: { cause?: unknown } = {}) {
    super(problems.map((p) => p.message).join("; "), options);
    this.problems = problems;
  }
}

/** All that is wrong in a script, reported together before anything is done. */
export class ScriptError extends ProblemsError {
  override readonly name = "ScriptError";
  override readonly exitCode = 2;
}

/** One thing that is wrong in the configuration. `at`: `file:line`, the variable of the environment, or the option. */
export type ConfigProblem = { readonly at: string; readonly message: string };

/** All that is wrong in the configuration, a line each. */
export class ConfigError extends NspawnError {
  override readonly name = "ConfigError";
  override readonly exitCode = 2;
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options: { hint?: string | undefined } = {}) {
    super(problems.map(({ at, message }) => `${at}: ${message}`).join("\n"), options);
    this.problems = problems;
  }
}

/** A program ended with an exit code other than 0, or by a signal. */
export class CommandError extends NspawnError {
  override readonly name = "CommandError";
  readonly argv: readonly string[];
  /** Exit code, or undefined where a signal ended the program. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** Last lines of output, both streams, for the message. */
  readonly output: string;

  constructor(fields: { argv: readonly string[]; code?: number | undefined; signal?: NodeJS.Signals | undefined; output: string }) {
    const why = fields.signal ? `ended by ${fields.signal}` : `exit code ${fields.code}`;
    super(`${fields.argv[0]} failed: ${why}`);
    this.argv = fields.argv;
    this.code = fields.code;
    this.signal = fields.signal;
    this.output = fields.output;
  }
}

/** A program that is needed is not installed. */
export class MissingProgramError extends NspawnError {
  override readonly name = "MissingProgramError";
}

/** A work step of a script failed; the cause says how. */
export class StepError extends NspawnError {
  override readonly name = "StepError";
  readonly at: Place;

  constructor(at: Place, message: string, options: { hint?: string | undefined; cause?: unknown }) {
    super(message, options);
    this.at = at;
  }
}

/** A template cannot be rendered. `at` is its own line; `near` and `column` are those of a {@link Problem}. */
export class TemplateError extends NspawnError {
  override readonly name = "TemplateError";
  readonly at: Place;
  readonly near: string | undefined;
  readonly column: number | undefined;

  constructor(at: Place, message: string, options: Pick<Problem, "hint" | "near" | "column"> = {}) {
    super(`${showPlace(at)}: ${message}`, { hint: options.hint });
    this.at = at;
    this.near = options.near;
    this.column = options.column;
  }
}

/** A transfer of a URL failed. */
export class TransferError extends NspawnError {
  override readonly name = "TransferError";
  readonly url: string;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;

  constructor(url: string, message: string, options: { status?: number; hint?: string | undefined; cause?: unknown } = {}) {
    super(`${url}: ${message}`, options);
    this.url = url;
    this.status = options.status;
  }
}

/** The user pressed Ctrl-C, or the command got SIGTERM. */
export class InterruptedError extends NspawnError {
  override readonly name = "InterruptedError";
  override readonly exitCode = 130;

  constructor() {
    super("interrupted");
  }
}

/** True for an error of the system with this code, such as ENOENT. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** What to do about anything that was thrown, as far as it says so. */
export function hintOf(error: unknown): string | undefined {
  return error instanceof NspawnError ? error.hint : undefined;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
