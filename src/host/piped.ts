import { CommandError } from "../base/errors.js";
import type { Command, Host } from "./host.js";
import { makePipe, type Pipe, widen } from "./libc.js";
import { closeGiven, drop } from "./program-files.js";

/**
 * Runs two programs at once, the second of which reads what the first one writes, through a pipe that is theirs alone.
 * @param to a function is asked when the first one has been started, or cannot be: should it throw, the first one has nobody to write to
 * @param options.needsAll whether the second one fails where the first one breaks off. A compressor does not: where both of them fail, it was the cause.
 * @throws CommandError of the one that was the cause. That the first one has nobody to write to any more is no failure.
 */
export async function runPiped(
  host: Pick<Host, "run">,
  from: Command,
  to: Command | (() => Promise<Command>),
  { needsAll }: { readonly needsAll: boolean },
): Promise<void> {
  const { reader, writer } = pipeFor(from, to);
  widen(reader);
  const [sent, received] = await Promise.allSettled([
    host.run({ ...from, output: { descriptor: writer } }),
    typeof to === "function" ? runLater(host, to, reader) : host.run({ ...to, input: { descriptor: reader } }),
  ]);
  const brokeOff = sent.status === "rejected" && !isUnread(sent.reason);
  if (received.status === "rejected") throw needsAll && brokeOff ? sent.reason : received.reason;
  if (brokeOff) throw sent.reason;
}

async function runLater(host: Pick<Host, "run">, to: () => Promise<Command>, reader: number): Promise<void> {
  const input = { descriptor: reader };
  let command: Command;
  try {
    command = await to();
  } catch (error) {
    closeGiven({ input });
    throw error;
  }
  await host.run({ ...command, input });
}

/** Where there is none to be had, both are as if they could not be started. */
function pipeFor(from: Command, to: Command | (() => Promise<Command>)): Pipe {
  try {
    return makePipe();
  } catch (error) {
    drop(from);
    if (typeof to !== "function") drop(to);
    throw error;
  }
}

function isUnread(error: unknown): boolean {
  return error instanceof CommandError && error.signal === "SIGPIPE";
}
