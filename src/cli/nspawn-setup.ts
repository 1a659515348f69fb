#!/usr/bin/env node
import type { Action } from "../engine/setup/action.js";
import type { SetupPlan } from "../plan/setup-plan.js";
import type { Script } from "../script/load.js";
import { setupHelp } from "./help.js";
import { notOneOf, runScriptCommand, type ScriptOptions } from "./script-command.js";

type SetupOptions = ScriptOptions & { readonly action: string };

/** Kept apart from the engine, which the help does not load; the compiler sees that none is missing. */
const actionHelp: { readonly [A in Action]: string } = {
  update: "bring the machine to what the script says; restart it only if it changed (default)",
  ensure: "create the machine if it is not there, and run it; else leave it as it is",
  desure: "stop the machine and remove all of it",
  create: "write the machine's unit, without starting it",
  delete: "remove a machine that does not run",
  enable: "start the machine with the host",
  disable: "do not start the machine with the host",
  start: "start the machine",
  stop: "stop the machine",
  command: "do only the script's COPY, CAST, RUN and SH on the host",
};

await runScriptCommand<SetupOptions>({
  kind: "setup",
  help: setupHelp(actionHelp),
  values: { "--action": actionHelp },
  describe: (command) => command.option("--action <action>", "what to do with the machine", "update"),
  plan: async (script, { action }) => {
    const plan = await planFor(script, action);
    const [{ previewSetup }, { shownSetupPlan }] = await Promise.all([
      import("../engine/preview/setup.js"),
      import("./plan/setup-plan.js"),
    ]);
    return async (context) => shownSetupPlan(await previewSetup(context, plan, actionOf(action)));
  },
  work: async (script, { action }) => {
    const plan = await planFor(script, action);
    const { setupMachine } = await import("../engine/setup/setup.js");
    return (context) => setupMachine(context, plan, actionOf(action));
  },
});

/** The plan of a script. Where the action may make the machine, what this host's systemd is too old for is a problem of the script, too. */
async function planFor(script: Script, word: string): Promise<SetupPlan> {
  const action = actionOf(word);
  const [{ planSetup }, { makesMachine }] = await Promise.all([import("../plan/setup-plan.js"), import("../engine/setup/action.js")]);
  if (!makesMachine(action, false)) return planSetup(script);
  const [{ LocalHost }, { systemdVersion }] = await Promise.all([import("../host/local.js"), import("../host/systemd-version.js")]);
  return planSetup(script, await systemdVersion(new LocalHost()));
}

function actionOf(word: string): Action {
  if (Object.hasOwn(actionHelp, word)) return word as Action;
  throw notOneOf("--action", word, Object.keys(actionHelp));
}
