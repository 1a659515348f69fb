import { CommandError } from "../base/errors.js";
import type { Command, Host } from "./host.js";
import { makePipe, widen } from "./libc.js";

/**
 * Runs two programs at once, the second of which reads what the first one writes, through a pipe that is theirs alone.
 * @throws CommandError of the first, unless it only had nobody any more to write to; else of the second
 */
export async function runPiped(host: Pick<Host, "run">, from: Command, to: Command): Promise<void> {
  const { reader, writer } = makePipe();
  widen(reader);
  const [sent, received] = await Promise.allSettled([
    host.run({ ...from, output: { descriptor: writer } }),
    host.run({ ...to, input: { descriptor: reader } }),
  ]);
  if (sent.status === "rejected" && !isUnread(sent.reason)) throw sent.reason;
  if (received.status === "rejected") throw received.reason;
}

function isUnread(error: unknown): boolean {
  return error instanceof CommandError && error.signal === "SIGPIPE";
}
