import { hintOf, InterruptedError, messageOf, StepError } from "../base/errors.js";
import type { Place } from "../base/place.js";

/** The error of a step, with the script's line and the step in words. An interrupt stays what it is. */
export function stepFailed(error: unknown, at: Place, text: string): Error {
  if (error instanceof InterruptedError) return error;
  return new StepError(at, `${text}: ${messageOf(error)}`, { cause: error, hint: hintOf(error) });
}
