/**
 * Waits until all promises have settled, so that nothing goes on behind an error; then throws the first error, in their order.
 */
export async function settleAll<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
