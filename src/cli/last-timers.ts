/**
 * A script that ends with a timer may have forgotten an `await`, and call a keyword behind its own end. That is an error: the timer gets a
 * moment to show it, before anything is done.
 */
export async function lastTimers(): Promise<void> {
  // Not performance.now(), which takes 2 ms to load.
  const start = Date.now();
  while (process.getActiveResourcesInfo().includes("Timeout") && Date.now() - start < 100) {
    await new Promise((done) => setTimeout(done, 5));
  }
}
