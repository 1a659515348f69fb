import { NspawnError } from "../base/errors.js";
import { callerPlace } from "../base/place.js";
import type { Call, Keyword, ScriptKind } from "./call.js";

/** What a running script has said so far. */
type Recorder = { readonly kind: ScriptKind; readonly isScript: (file: string) => boolean; readonly calls: Call[] };

// Keywords are plain functions that scripts import, so they can find their recorder only here. One process runs one script.
let current: Recorder | undefined;

/**
 * Collects the calls of the keywords until `run` has ended. `isScript` tells the user's files from ours and from
 * libraries: a call's place is the nearest frame in one of them.
 */
export async function recording(kind: ScriptKind, isScript: (file: string) => boolean, run: () => Promise<void>): Promise<readonly Call[]> {
  const recorder: Recorder = { kind, isScript, calls: [] };
  current = recorder;
  try {
    await run();
  } finally {
    current = undefined;
  }
  return recorder.calls;
}

/** Records one use of a keyword, with its place. */
export function record(kind: ScriptKind, keyword: Keyword, args: readonly unknown[]): void {
  if (!current) {
    throw new NspawnError(`${keyword} was called outside of a ${kind} script`, {
      hint: `start the script by its first line #!/usr/bin/env nspawn-${kind}, or by: nspawn-${kind} SCRIPT`,
    });
  }
  if (current.kind !== kind) {
    throw new NspawnError(`this is a ${current.kind} script, but ${keyword} was imported from "nspawn/${kind}"`, {
      hint: `import the keywords from "nspawn/${current.kind}", or run the script with nspawn-${kind}`,
    });
  }
  current.calls.push({ keyword, args, at: callerPlace(current.isScript) ?? { file: "unknown", line: 0 } });
}
