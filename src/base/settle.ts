/**
 * Waits until all promises have settled, so that nothing goes on behind an error; then throws the first error, in their order.
 */
export async function settleAll<T extends readonly unknown[] | []>(promises: T): Promise<{ readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
