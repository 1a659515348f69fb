import { realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { hasCode, messageOf, type NspawnError, ScriptError, UsageError } from "../base/errors.js";
import { placeOfError } from "../base/place.js";
import type { Config } from "../config/config.js";
import type { Call, ScriptKind } from "../dsl/call.js";
import { recording } from "../dsl/record.js";
import type { ScriptUrls } from "./find-module.js";
import { hasModules, type Keywords, registerHooks, ScriptModules } from "./modules.js";
import { isScript, problemOf } from "./problem.js";
import { runToEnd } from "./run-to-end.js";

/** A user's script after it ran: the keywords that it called, nothing checked, nothing done. */
export type Script = { readonly path: string; readonly folder: string; readonly kind: ScriptKind; readonly calls: readonly Call[] };

/**
 * Runs a user's script, TypeScript or JavaScript, and collects its keywords. `nspawn/build` and `nspawn/setup` lead to this
 * very package, wherever the script lies and whatever is installed beside it.
 * @throws ScriptError with the script's line, for a syntax error or whatever the script threw
 */
export async function loadScript(path: string, kind: ScriptKind, config: Config): Promise<Script> {
  const real = realScript(path);
  const package_ = new URL("..", import.meta.url);
  const urls: ScriptUrls = {
    script: pathToFileURL(real).href,
    package: package_.href,
    keywords: { "nspawn/build": new URL("dsl/build.js", package_).href, "nspawn/setup": new URL("dsl/setup.js", package_).href },
  };
  const run = hasModules() ? runModules : runByHooks;
  const calls = await recording(kind, { isScript, config }, async () => {
    try {
      await runToEnd(() => run(urls));
    } catch (error) {
      throw scriptError(error, real);
    }
  });
  return { path: real, folder: dirname(real), kind, calls };
}

const keywords: Keywords = { "nspawn/build": () => import("../dsl/build.js"), "nspawn/setup": () => import("../dsl/setup.js") };

function runModules(urls: ScriptUrls): Promise<void> {
  return new ScriptModules(urls, keywords).run();
}

/** The slower way, where Node was not started as our commands start it: `node dist/cli/nspawn-build.cjs`. */
async function runByHooks(urls: ScriptUrls): Promise<void> {
  registerHooks(urls);
  await import(urls.script);
}

function realScript(path: string): string {
  try {
    const real = realpathSync(path);
    if (statSync(real).isFile()) return real;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) throw new UsageError(`there is no script ${path}`);
    throw new UsageError(`cannot read the script ${path}: ${messageOf(error)}`);
  }
  throw new UsageError(`${path} is no file`);
}

/** An error that came when the script had ended, from a timer, say: with its line, if it is the script's, or else as it is. */
export function lateError(error: unknown, { path }: Script): unknown {
  const isScripts = !(error instanceof Error) || placeOfError(error, isScript) !== undefined;
  return isScripts ? scriptError(error, path) : error;
}

/** An error of a script, with the line that it comes from. */
function scriptError(error: unknown, script: string): NspawnError {
  if (error instanceof ScriptError) return error;
  return new ScriptError([problemOf(error, script)], { cause: error });
}
