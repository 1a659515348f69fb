import { type NspawnError, ScriptError } from "../base/errors.js";
import { callerPlace, type Place } from "../base/place.js";
import type { Config } from "../config/config.js";
import { type Call, type Keyword, keywords, type ScriptKind } from "./call.js";

/**
 * What a running script needs around it. `isScript` tells the user's files from ours and from libraries: a call's place is the
 * nearest frame in one of them. `config` is what TOOL sees.
 */
export type Surroundings = { readonly isScript: (file: string) => boolean; readonly config: Config };

/** What a running script has said so far. `ended`: nothing more counts. */
type Recorder = Surroundings & { readonly kind: ScriptKind; readonly calls: Call[]; ended: boolean };

// Keywords are plain functions that scripts import, so they can find their recorder only here. One process runs one script.
let current: Recorder | undefined;

/** Collects the calls of the keywords until `run` has ended. */
export async function recording(kind: ScriptKind, surroundings: Surroundings, run: () => Promise<void>): Promise<readonly Call[]> {
  const recorder: Recorder = { ...surroundings, kind, calls: [], ended: false };
  current = recorder;
  try {
    await run();
  } finally {
    recorder.ended = true;
  }
  return recorder.calls;
}

/**
 * Records one use of a keyword, with its place.
 * @throws ScriptError where it cannot count
 */
export function record(kind: ScriptKind, keyword: Keyword, args: readonly unknown[]): void {
  const at = scriptPlace();
  if (!current)
    throw misuse(
      at,
      `${keyword} was called outside of a ${kind} script`,
      `run the script by nspawn-${kind}, or by its first line #!/usr/bin/env nspawn-${kind}`,
    );
  if (current.kind !== kind) {
    throw misuse(
      at,
      `this is a ${current.kind} script, but ${keyword} was imported from "nspawn/${kind}"`,
      (keywords[current.kind] as readonly string[]).includes(keyword)
        ? `import the keywords from "nspawn/${current.kind}", or run the script with nspawn-${kind}`
        : `${keyword} is a keyword of ${kind} scripts: run this one with nspawn-${kind}`,
    );
  }
  if (current.ended) throw misuse(at, `${keyword} was called after the script had ended`, "await what calls it");
  current.calls.push({ keyword, args, at });
}

/** The place in the script that called, for errors of TOOL. */
export function scriptPlace(): Place {
  return callerPlace(current?.isScript ?? (() => true)) ?? { file: "unknown", line: 0 };
}

/** The configuration that the running script sees; undefined outside of one. */
export function scriptConfig(): Config | undefined {
  return current?.config;
}

function misuse(at: Place, message: string, hint: string): NspawnError {
  return new ScriptError([{ at, message, hint }]);
}
