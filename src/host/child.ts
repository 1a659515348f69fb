import { constants } from "node:os";
import { type Ended, reap, type Start, startProgram } from "./libc.js";

/** How a program has ended: by itself, or by a signal. */
export type End = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** A program that was started here. */
export type Child = {
  readonly pid: number;
  /** Whether its end is known: from then on its process id may be another's. */
  readonly hasEnded: boolean;
  /** When it has ended; what it has left behind may still run. */
  readonly ended: Promise<End>;
};

/** Starts a program, see {@link startProgram}; this process does not end before it has. */
export function startChild(start: Start): Child {
  watch();
  try {
    const child = new StartedChild(startProgram(start));
    children.add(child);
    return child;
  } finally {
    // Nobody is left to be watched, if it could not be started.
    if (children.size === 0) stopWatching();
  }
}

class StartedChild implements Child {
  readonly pid: number;
  readonly ended: Promise<End>;
  hasEnded = false;
  #tell: (end: End) => void = () => undefined;

  constructor(pid: number) {
    this.pid = pid;
    this.ended = new Promise((tell) => {
      this.#tell = tell;
    });
  }

  /** Looks whether it has ended. */
  look(): void {
    const end = endOf(this.pid);
    if (!end) return;
    this.hasEnded = true;
    children.delete(this);
    this.#tell(end);
  }
}

const children = new Set<StartedChild>();
let watching: NodeJS.Timeout | undefined;

/** The signal that the end of a child is told by comes once for several of them. The timer has this process live as long as they do. */
function watch(): void {
  if (watching) return;
  process.on("SIGCHLD", lookAtAll);
  watching = setInterval(lookAtAll, 1000);
}

function lookAtAll(): void {
  for (const child of children) child.look();
  if (children.size === 0) stopWatching();
}

function stopWatching(): void {
  process.off("SIGCHLD", lookAtAll);
  clearInterval(watching);
  watching = undefined;
}

function endOf(pid: number): End | undefined {
  try {
    const ended = reap(pid);
    return ended && { code: ended.code, signal: signalOf(ended) };
  } catch {
    // Somebody else was told, such as a package that a script has loaded. It has ended, and how is not known.
    return { code: null, signal: null };
  }
}

function signalOf({ signal }: Ended): NodeJS.Signals | null {
  if (signal === null) return null;
  const names = Object.entries(constants.signals) as readonly (readonly [NodeJS.Signals, number])[];
  return names.find(([, number]) => number === signal)?.[0] ?? null;
}
