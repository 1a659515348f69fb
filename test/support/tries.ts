import { test } from "vitest";

/** `scripts/test --long` asks for it: all tests, and all that chance is to try. A short run has to end in time on a slow machine, too. */
export const isLong = process.env.NSPAWN_TEST_LONG === "yes";

/** How often chance tries something: so often in a long run, and an eighth of it in a short one, with another seed each time. */
export function tries(count: number): number {
  return isLong ? count : Math.ceil(count / 8);
}

/** Cases that are much alike: all in a long run, the first and every fourth after it in a short one. */
export function sample<T>(cases: readonly T[]): readonly T[] {
  return isLong ? cases : cases.filter((_, index) => index % 4 === 0);
}

/** A test for long runs alone: one that takes long, and of whose subject shorter ones tell, too. */
export const longTest = test.runIf(isLong);
