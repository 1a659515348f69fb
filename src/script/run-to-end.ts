import { setImmediate } from "node:timers/promises";
import { NspawnError } from "../base/errors.js";

/**
 * Runs a script's module until it has ended. What Node would answer by ending the process, with few words or none, is an error of the
 * script instead: an await that never settles, an error that nobody catches, a call of process.exit, which stays an error afterwards.
 * @throws whatever the script threw
 */
export async function runToEnd(run: () => Promise<unknown>): Promise<void> {
  const { promise: failed, fail } = failure();
  // Nothing is left that could settle the promise.
  const starved = (): void => fail(new NspawnError("the script waits for something that never comes: its await does not end"));
  process.exit = (code) => {
    const error = exitError(code, ": nothing was done");
    fail(error);
    throw error;
  };
  process.once("beforeExit", starved);
  process.setUncaughtExceptionCaptureCallback(fail);
  try {
    // A promise that was rejected, and that nobody waits for, is told after the module's own.
    await Promise.race([run().then(() => setImmediate()), failed]);
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
    process.off("beforeExit", starved);
    // A timer that it has left behind must not cut off the work that follows.
    process.exit = (code) => {
      throw exitError(code, " behind its own end");
    };
  }
}

function exitError(code: number | string | null | undefined, when: string): NspawnError {
  return new NspawnError(`the script called process.exit(${code ?? ""})${when}`, {
    hint: "to give up, throw an error; to stop early, leave the function",
  });
}

function failure(): { readonly promise: Promise<never>; readonly fail: (error: unknown) => void } {
  let fail: (error: unknown) => void = () => undefined;
  const promise = new Promise<never>((_, reject) => {
    fail = reject;
  });
  return { promise, fail };
}
