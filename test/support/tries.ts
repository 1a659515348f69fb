/** `scripts/test --long` asks for it: all that chance is to try, for some minutes more. */
export const isLong = process.env.NSPAWN_TEST_LONG === "yes";

/** How often chance tries something: so often in a long run, and a quarter of it in a short one, with another seed each time. */
export function tries(count: number): number {
  return isLong ? count : Math.ceil(count / 4);
}
