#!/usr/bin/env node
import type { Action } from "../engine/setup/action.js";
import { setupHelp } from "./help.js";
import { type CommonOptions, notOneOf, runScriptCommand } from "./script-command.js";

type SetupOptions = CommonOptions & { readonly action: string };

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
    const { planSetup } = await import("../plan/setup-plan.js");
    checkAction(action);
    const plan = planSetup(script);
    const [{ previewSetup }, { shownSetupPlan }] = await Promise.all([
      import("../engine/preview/setup.js"),
      import("./plan/setup-plan.js"),
    ]);
    return async (context) => shownSetupPlan(await previewSetup(context, plan, action));
  },
  work: async (script, { action }) => {
    const { planSetup } = await import("../plan/setup-plan.js");
    checkAction(action);
    const plan = planSetup(script);
    const { setupMachine } = await import("../engine/setup/setup.js");
    return (context) => setupMachine(context, plan, action);
  },
});

function checkAction(word: string): asserts word is Action {
  if (!Object.hasOwn(actionHelp, word)) throw notOneOf("--action", word, Object.keys(actionHelp));
}
