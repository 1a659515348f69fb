import fc from "fast-check";
import { tries } from "./tries.js";

// A property that fails may take very long to find its smallest counterexample: whatever it has by then is told.
fc.configureGlobal({ numRuns: tries(200), interruptAfterTimeLimit: 30_000, markInterruptAsFailure: true });
