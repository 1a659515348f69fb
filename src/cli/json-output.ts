import { ConfigError, messageOf, NspawnError, type Problem, ProblemsError, ScriptError, StepError } from "../base/errors.js";
import type { Event, EventOf } from "../base/events.js";
import type { Place } from "../base/place.js";
import { commandOf, summary, templateOf } from "./error-lines.js";
import { exitCodeOf } from "./exit-code.js";
import { levelOf, tells } from "./level.js";
import type { Output, OutputStream, Telling } from "./output.js";

type Fields = Readonly<Record<string, unknown>>;

/** What is told only here: what would be done, each problem of a script, and the end. */
export const endings = ["plan", "problem", "error", "done"] as const;

/** One JSON object a line, for programs, on standard output alone. docs/events.md is the contract: names and fields stay. */
export function jsonOutput({ level, stack }: Telling, out: OutputStream): Output {
  const started = performance.now();
  // As it is now: what a script writes there later goes elsewhere.
  const write = out.write.bind(out);
  const print = (event: Event["kind"] | (typeof endings)[number], fields: Fields): void => {
    write(`${JSON.stringify({ event, time: new Date().toISOString(), ...fields })}\n`);
  };
  return {
    report: (event) => {
      if (tells(level, levelOf(event))) print(event.kind, fieldsOf(event));
    },
    plan: ({ fields }) => print("plan", fields),
    failed: (error) => {
      if (error instanceof ProblemsError) for (const problem of error.problems) print("problem", problemFields(problem));
      if (error instanceof ConfigError) for (const { at, message } of error.problems) print("problem", { at, message });
      print("error", { ...errorFields(error), ...(stack && error instanceof Error ? { stack: error.stack } : {}) });
    },
    done: () => print("done", { seconds: (performance.now() - started) / 1000 }),
  };
}

/** The fields of each kind of event, beside `event` and `time`. */
export const eventFields: { readonly [K in Event["kind"]]: (event: EventOf<K>) => Fields } = {
  begin: ({ text, url }) => ({ message: text, url }),
  warning: ({ text }) => ({ message: text }),
  detail: ({ text }) => ({ message: text }),
  transfer: ({ kind: _, ...fields }) => fields,
  pulled: ({ kind: _, ...fields }) => fields,
  "step-begin": ({ at, text }) => ({ ...placeFields(at), step: text }),
  output: ({ line }) => ({ text: line }),
  "step-end": ({ at, text, seconds, cached, why }) => ({ ...placeFields(at), step: text, seconds, cached, why }),
  pushed: ({ kind: _, ...fields }) => fields,
  removed: ({ kind: _, ...fields }) => fields,
  acted: ({ text, seconds }) => ({ message: text, seconds }),
};

function fieldsOf(event: Event): Fields {
  return (eventFields[event.kind] as (event: Event) => Fields)(event);
}

function problemFields({ at, message, hint, near, cause }: Problem): Fields {
  return { ...placeFields(at), message, hint, near, template: templateFields(cause) };
}

function errorFields(error: unknown): Fields {
  const exit = exitCodeOf(error);
  const [problem, ...others] = error instanceof ProblemsError ? error.problems : [];
  if (error instanceof ProblemsError && (error instanceof ScriptError || others.length > 0)) return { message: summary(error), exit };
  const command = commandOf(error);
  const at = error instanceof StepError ? error.at : problem?.at;
  return {
    message: messageOf(error),
    hint: problem?.hint ?? (error instanceof NspawnError ? error.hint : undefined),
    ...(at ? placeFields(at) : {}),
    template: templateFields(error),
    ...(command ? { command: command.argv, code: command.code, signal: command.signal, output: command.output } : {}),
    exit,
  };
}

/** Where a template is wrong that an error comes from. */
function templateFields(error: unknown): Fields | undefined {
  const template = templateOf(error);
  return template && { ...placeFields(template.at), near: template.near, column: template.column };
}

function placeFields({ file, line }: Place): Fields {
  return { file, line };
}
