import type { Event, EventOf } from "../base/events.js";
import { LastLines } from "../base/last-lines.js";
import { columnsOf, cutToColumns } from "./columns.js";
import { eventLines } from "./event-lines.js";
import { printable } from "./printable.js";
import { showBytes, showElapsed, showSeconds } from "./quantity.js";
import type { Paint } from "./style.js";
import { TransferRate } from "./transfer-rate.js";

/** The part of a terminal that may be used, and the time in milliseconds of performance.now(). */
export type View = { readonly columns: number; readonly rows: number; readonly now: number };

/** Something that is going on. `text` is printable. `brief`: it is a transfer and no more. */
type Activity = { readonly text: string; readonly started: number; readonly brief?: boolean; transfer?: Transfer };
type Transfer = { readonly event: EventOf<"transfer">; readonly rate: TransferRate };

/** Lines of a running command that are shown. */
const outputLines = 5;

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** What is going on, made from events: steps, the last lines of their commands, transfers. */
export class Progress {
  readonly #paint: Paint;
  /** By what ends them: a URL, or the step. */
  readonly #activities = new Map<string, Activity>();
  #output = new LastLines(outputLines);

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  /** Takes an event at a time in milliseconds; returns the lines that stay for good. */
  take(event: Event, now: number): readonly string[] {
    switch (event.kind) {
      case "begin":
        this.#activities.set(event.url ?? waiting, { text: printable(event.text), started: now });
        return [];
      case "step-begin":
        this.#output = new LastLines(outputLines);
        this.#begin(`step ${event.text}`, { text: printable(event.text), started: now });
        return [];
      case "output":
        this.#output.add(printable(event.line));
        return [];
      case "transfer":
        this.#transfer(event, now);
        return [];
      case "step-end":
        this.#output = new LastLines(outputLines);
        this.#end(`step ${event.text}`);
        return [this.#done(`${printable(event.text)} ${event.cached ? "cached" : `(${showSeconds(event.seconds)})`}`)];
      case "pulled":
      case "pushed":
        this.#end(event.url);
        return eventLines(event, this.#paint).map((line) => this.#done(line));
      case "acted":
      case "removed":
        this.#end(waiting);
        return eventLines(event, this.#paint).map((line) => this.#done(line));
      case "warning":
      case "detail":
        return [];
    }
  }

  /** What is going on, in lines that fit. */
  frame({ columns, rows, now }: View): readonly string[] {
    const activities = [...this.#activities.values()];
    // What there is no room for is counted.
    const room = Math.max(1, rows - outputLines);
    const shown = activities.length > room ? activities.slice(0, room - 1) : activities;
    const hidden = activities.length - shown.length;
    const mark = spinner[Math.floor(now / 100) % spinner.length] ?? "";
    const lines = [
      ...shown.map((activity) => this.#line(activity, mark, columns, now)),
      ...(hidden > 0 ? [cutToColumns(`  and ${hidden} more`, columns)] : []),
      ...this.#output
        .text()
        .split("\n")
        .filter((line) => line.trim() !== "")
        .map((line) => this.#paint("dim", cutToColumns(`  │ ${line}`, columns))),
    ];
    return lines.slice(0, Math.max(0, rows));
  }

  /** Lines that stay for what was going on when the command failed. */
  unfinished(now: number): readonly string[] {
    const texts = [...this.#activities.values()].map(
      ({ text, started }) => `${this.#paint("red", "✗")} ${text} (${showSeconds((now - started) / 1000)})`,
    );
    this.#activities.clear();
    this.#output = new LastLines(outputLines);
    return texts;
  }

  #begin(key: string, activity: Activity): void {
    // Whatever was waited for has come.
    this.#activities.delete(waiting);
    this.#activities.set(key, activity);
  }

  #end(key: string): void {
    this.#activities.delete(waiting);
    this.#activities.delete(key);
  }

  #transfer(event: EventOf<"transfer">, now: number): void {
    const activity = this.#activities.get(event.url) ?? { text: printable(event.url), started: now, brief: true };
    if (event.done && activity.brief) return void this.#activities.delete(event.url);
    const rate = activity.transfer?.rate ?? new TransferRate(activity.started);
    rate.add(event.bytes, now);
    activity.transfer = { event, rate };
    this.#activities.set(event.url, activity);
  }

  #done(text: string): string {
    return `${this.#paint("green", "✓")} ${text}`;
  }

  #line({ text, started, transfer }: Activity, spin: string, columns: number, now: number): string {
    const moving = transfer && !transfer.event.done;
    const mark = moving ? (transfer.event.direction === "down" ? "↓" : "↑") : spin;
    const numbers = transfer ? transferWords(transfer, now) : showElapsed((now - started) / 1000);
    // The numbers are what changes: a long text gives way, as far as that makes sense.
    const words = cutToColumns(text, Math.max(20, columns - columnsOf(numbers) - 4));
    return `${this.#paint("cyan", mark)} ${cutToColumns(`${words}  ${numbers}`, columns - 2)}`;
  }
}

/** The key of what has no URL to tell its end: whatever comes next ends it. */
const waiting = "";

function transferWords({ event: { bytes, total, done }, rate }: Transfer, now: number): string {
  if (done) return showBytes(bytes);
  const perSecond = rate.perSecond(now);
  const left = total === undefined || perSecond < 1 ? undefined : (total - bytes) / perSecond;
  return [
    total === undefined ? showBytes(bytes) : `${showBytes(bytes)} of ${showBytes(total)}`,
    ...(total ? [`${Math.min(100, Math.floor((100 * bytes) / total))} %`] : []),
    `${showBytes(perSecond)}/s`,
    ...(left === undefined || left < 0 ? [] : [`${showElapsed(left)} left`]),
  ].join("  ");
}
