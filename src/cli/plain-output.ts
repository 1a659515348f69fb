import { errorLines } from "./error-lines.js";
import { eventLines } from "./event-lines.js";
import { type Level, levelOf, tells } from "./level.js";
import type { Output, OutputStream, Streams, Telling } from "./output.js";
import { paintFor } from "./style.js";

/** A line for each event on standard output; warnings and errors on standard error. */
export function plainOutput({ level, stack, format }: Telling, { out, err }: Streams): Output {
  const print = (stream: OutputStream, of: Level, lines: readonly string[]): void => {
    for (const message of lines) {
      const line = format && !stream.isTTY ? format({ level: of, message, time: new Date() }) : message;
      stream.write(`${line}\n`);
    }
  };
  return {
    report: (event) => {
      const of = levelOf(event);
      const stream = of === "warning" ? err : out;
      if (tells(level, of)) print(stream, of, eventLines(event, paintFor(stream)));
    },
    plan: ({ lines }) => out.write(`${lines(paintFor(out)).join("\n")}\n`),
    failed: (error) => print(err, "error", errorLines(error, paintFor(err), stack)),
    done: () => undefined,
  };
}
