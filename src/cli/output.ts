import type { Report } from "../base/events.js";
import { jsonOutput } from "./json-output.js";
import { chooseLevel, type Level } from "./level.js";
import { type Logging, type LogRecord, logFormat, messageOnly } from "./log-format.js";
import { plainOutput } from "./plain-output.js";
import type { ShownPlan } from "./plan/plan.js";

/** How a command tells what happens, or what it would do, and how it ended: the last is either `done` or `failed`. */
export type Output = {
  readonly report: Report;
  readonly plan: (shown: ShownPlan) => void;
  readonly failed: (error: unknown) => void;
  readonly done: () => void;
};

export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
export type Streams = { readonly out: OutputStream; readonly err: OutputStream };

/** What a command's options and the configuration say of its output. */
export type OutputOptions = {
  readonly json?: boolean;
  /** Whether a terminal shows what is going on; true by default. */
  readonly live?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** Errors with their stack, as with `verbose` (`main/trace_error`). */
  readonly trace?: boolean;
  /** Section `[logging]`. */
  readonly logging?: Logging;
};

/** What the kinds of output make of that. */
export type Telling = {
  readonly level: Level;
  readonly stack: boolean;
  /** How a line is written where it does not go to a terminal. */
  readonly format: ((record: LogRecord) => string) | undefined;
};

/**
 * JSON for programs; on a terminal a display of what is going on; else lines.
 * @throws UsageError if the configuration's format is wrong
 */
export async function openOutput(options: OutputOptions, streams: Streams = processStreams()): Promise<Output> {
  const telling = tellingOf(options);
  if (options.json) return jsonOutput(telling, streams.out);
  const isLive = options.live !== false && streams.out.isTTY && telling.level === "info" && process.env.TERM !== "dumb";
  if (!isLive) return plainOutput(telling, streams);
  const { liveOutput } = await import("./live-output.js");
  return liveOutput(telling, streams);
}

/** The output before options are read and checked. */
export function earlyOutput(args: readonly string[]): Output {
  const telling = tellingOf({ verbose: args.includes("--verbose") });
  return args.includes("--json") ? jsonOutput(telling, process.stdout) : plainOutput(telling, processStreams());
}

function tellingOf({ logging, trace, ...options }: OutputOptions): Telling {
  return {
    level: chooseLevel(options, logging?.level),
    stack: options.verbose === true || trace === true,
    format: logging && logging.format !== messageOnly ? logFormat(logging.format, logging.datefmt) : undefined,
  };
}

function processStreams(): Streams {
  return { out: process.stdout, err: process.stderr };
}
