/**
 * A script that ends with a timer may have forgotten an `await`, and call a keyword behind its own end. That is an error: the timer gets a
 * moment to show it, before anything is done.
 */
export async function lastTimers(): Promise<void> {
  // Counted: performance.now() takes 2 ms to load, and a script may have another Date.
  for (let left = 20; left > 0 && process.getActiveResourcesInfo().includes("Timeout"); left--) {
    await new Promise((done) => setTimeout(done, 5));
  }
}
