import { ScriptError } from "../../base/errors.js";
import { scriptPlace } from "../record.js";

/** The error of a wrong call of TOOL, or of a host that cannot answer it, at the script's line. */
export function toolError(name: string, message: string, hint?: string): ScriptError {
  return new ScriptError([{ at: scriptPlace(), message: `TOOL.${name}: ${message}`, hint }]);
}
