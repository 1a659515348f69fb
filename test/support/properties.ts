import fc from "fast-check";

// A property that fails may take very long to find its smallest counterexample: whatever it has by then is told.
fc.configureGlobal({ interruptAfterTimeLimit: 30_000, markInterruptAsFailure: true });
