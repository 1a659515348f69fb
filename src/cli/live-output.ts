import { createLogUpdate } from "log-update";
import { errorLines } from "./error-lines.js";
import { eventLines } from "./event-lines.js";
import type { Output, Streams, Telling } from "./output.js";
import { Progress } from "./progress.js";
import { paintFor } from "./style.js";

/** Milliseconds between two drawings. */
const interval = 100;

/** On a terminal: a line for what is done, and below these what is going on, drawn anew up to ten times a second. */
export function liveOutput({ stack }: Telling, { out, err }: Streams): Output {
  // The cursor stays visible: one that is hidden would stay so after kill -9 or Ctrl-Z. Hiding it would also take over signals.
  const screen = createLogUpdate(out as NodeJS.WriteStream, { showCursor: true });
  const progress = new Progress(paintFor(out));
  let finished: readonly string[] = [];
  const flush = (): void => {
    if (finished.length === 0) return;
    screen.clear();
    out.write(`${finished.join("\n")}\n`);
    finished = [];
  };
  const draw = (): void => {
    flush();
    // Without its last row, where the cursor is.
    const frame = progress.frame({ columns: (out.columns ?? 80) - 1, rows: (out.rows ?? 24) - 1, now: performance.now() });
    if (frame.length > 0) screen(frame.join("\n"));
    else screen.clear();
  };
  const timer = setInterval(draw, interval).unref();
  const say = (lines: readonly string[]): void => {
    flush();
    screen.clear();
    err.write(`${lines.join("\n")}\n`);
  };
  const close = (): void => {
    clearInterval(timer);
    flush();
    screen.clear();
  };
  return {
    report: (event) => {
      if (event.kind === "warning") say(eventLines(event, paintFor(err)));
      else finished = [...finished, ...progress.take(event, performance.now())];
    },
    plan: ({ lines }) => {
      finished = [...finished, ...lines(paintFor(out))];
    },
    failed: (error) => {
      finished = [...finished, ...progress.unfinished(performance.now())];
      close();
      say(errorLines(error, paintFor(err), stack));
    },
    done: close,
  };
}
