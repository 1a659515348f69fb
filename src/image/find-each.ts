import { messageOf, NspawnError, type Problem, ProblemsError } from "../base/errors.js";
import type { Place } from "../base/place.js";
import type { ImageRef } from "../plan/image-ref.js";

/**
 * Finds what is wanted, {@link atOnce} in parallel.
 * @throws ProblemsError with all that cannot be had, each at the line of the script that wants it; what has no line, and what is no matter
 * of an image (an interrupt, a defect), is thrown as it is
 */
export async function findEach<W extends { readonly image: ImageRef; readonly at?: Place | undefined }, T>(
  wanted: readonly W[],
  find: (want: W) => Promise<T>,
): Promise<readonly T[]> {
  const results = await settleInTurn(wanted, find);
  const problems = results.flatMap((result, index) => (result.status === "rejected" ? [problemOf(result.reason, wanted[index])] : []));
  if (problems.length > 0) throw new ProblemsError(problems, problems.length === 1 ? { cause: problems[0]?.cause } : {});
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

/** Downloads at a time: more of them make nothing faster, and each takes memory, and programs of its own. */
const atOnce = 8;

/** As Promise.allSettled: one begins as soon as another has ended. */
async function settleInTurn<W, T>(wanted: readonly W[], find: (want: W) => Promise<T>): Promise<readonly PromiseSettledResult<T>[]> {
  const results: PromiseSettledResult<T>[] = [];
  const todo = wanted.entries();
  const work = async (): Promise<void> => {
    for (const [index, want] of todo) {
      const [result] = await Promise.allSettled([find(want)]);
      results[index] = result;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

function problemOf(error: unknown, want: { readonly image: ImageRef; readonly at?: Place | undefined } | undefined): Problem {
  if (!want?.at || !(error instanceof NspawnError) || error.exitCode !== 1) throw error;
  return { at: want.at, near: want.image.written, message: messageOf(error), hint: error.hint, cause: error };
}
