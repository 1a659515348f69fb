#!/usr/bin/env node
import type { Action } from "../engine/setup/action.js";
import { type CommonOptions, notOneOf, runScriptCommand } from "./script-command.js";

type SetupOptions = CommonOptions & { readonly action: string };

/** Kept apart from the engine, which the help does not load; the compiler sees that none is missing. */
const actionHelp: { readonly [A in Action]: string } = {
  update:
    "do the steps on the host, bring the machine to what the script says, and run it; it is restarted only if something changed (default)",
  ensure: "create the machine if it is not there, and run it; one that is there stays as it is",
  desure: "stop the machine and remove all of it",
  create: "write the machine's unit, without starting it",
  delete: "remove a machine that does not run",
  enable: "start the machine with the host",
  disable: "do not start the machine with the host",
  start: "start the machine",
  stop: "stop the machine",
  command: "do only the script's COPY, CAST, RUN and SH on the host",
};

const actionTable = Object.entries(actionHelp)
  .map(([action, text]) => `  ${action.padEnd(9)}${text}`)
  .join("\n");

await runScriptCommand<SetupOptions>({
  kind: "setup",
  describe: (command) =>
    command
      .description("Sets up the machine that a script declares: one systemd unit that runs an image.")
      .option("--action <action>", "what to do with the machine", "update")
      .addHelpText(
        "after",
        `\nActions:\n${actionTable}\n\nExit codes: 0 done, 1 the work failed, 2 the script or the call is wrong, 130 interrupted.`,
      ),
  plan: async (script, { action }) => {
    checkAction(action);
    const [{ planSetup }, { showSetupPlan }] = await Promise.all([import("../plan/setup-plan.js"), import("../plan/show.js")]);
    return showSetupPlan(planSetup(script));
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
