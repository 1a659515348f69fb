#!/usr/bin/env -S node --experimental-vm-modules --disable-warning=ExperimentalWarning
import { UsageError } from "../base/errors.js";
import type { EngineContext } from "../engine/context.js";
import type { Action } from "../engine/setup/action.js";
import type { SetupPlan } from "../plan/setup-plan.js";
import type { Script } from "../script/load.js";
import { setupHelp } from "./help.js";
import { notOneOf, runScriptCommand, type ScriptOptions } from "./script-command.js";
import type { Shown } from "./subcommand.js";

type SetupOptions = ScriptOptions & { readonly action: string; readonly generation?: string };

/** Kept apart from the engine, which the help does not load; the compiler sees that none is missing. */
const actionHelp: { readonly [A in Action | "status" | "nsenter"]: string } = {
  update: "bring the machine to what the script says; restart it only if it changed (default)",
  ensure: "create the machine if it is not there, and run it; else leave it as it is",
  desure: "stop the machine and remove all of it",
  create: "write the machine's unit, without starting it",
  delete: "remove a machine that does not run",
  enable: "start the machine with the host",
  disable: "do not start the machine with the host",
  start: "start the machine",
  stop: "stop the machine",
  status: "show the machine, as nspawn machine status does; exit code 1 if it does not run",
  nsenter: "open a shell in the machine, as nspawn-enter does",
  command: "do only the script's COPY, CAST, RUN and SH on the host",
  rollback: "go back to the generation before, or to that of --generation; needs no network",
};

void runScriptCommand<SetupOptions>({
  kind: "setup",
  help: setupHelp(actionHelp),
  values: { "--action": actionHelp },
  describe: (command) =>
    command
      .option("--action <action>", "what to do with the machine", "update")
      .option("--generation <number>", "what rollback goes back to; the generation before by default"),
  look: ({ action }) => (action === "status" ? lookAtMachine() : undefined),
  attach: ({ action, plan }) => (action === "nsenter" ? enterFromScript(plan) : undefined),
  plan: async ({ action: word, generation: digits }) => {
    const action = actionOf(word);
    const generation = generationOf(digits, action);
    const [planFor, { previewSetup }, { shownSetupPlan }] = await Promise.all([
      planner(action),
      import("../engine/preview/setup.js"),
      import("./plan/setup-plan.js"),
    ]);
    return async (script) => {
      const plan = await planFor(script);
      return async (context) => shownSetupPlan(await previewSetup(context, plan, action, generation));
    };
  },
  work: async ({ action: word, generation: digits }) => {
    const action = actionOf(word);
    const generation = generationOf(digits, action);
    const [planFor, { setupMachine }] = await Promise.all([planner(action), import("../engine/setup/setup.js")]);
    return async (script) => {
      const plan = await planFor(script);
      return (context) => setupMachine(context, plan, action, generation);
    };
  },
});

/** All that is known of the machine that a script declares. */
async function lookAtMachine(): Promise<(script: Script) => Promise<(context: EngineContext) => Promise<Shown>>> {
  const [{ planSetup }, { machineDetails }, { shownStatus }, { statusLines }] = await Promise.all([
    import("../plan/setup-plan.js"),
    import("../engine/machine/status.js"),
    import("./machine/status.js"),
    import("./machine/status-lines.js"),
  ]);
  return async (script) => {
    const { machine } = planSetup(script);
    return async (context) => shownStatus(await machineDetails(context, [machine.name], {}), statusLines);
  };
}

/** A shell in the machine that a script declares. */
async function enterFromScript(isPlan: boolean | undefined): Promise<(script: Script) => Promise<number>> {
  if (isPlan) throw new UsageError("--action=nsenter opens a shell: there is nothing to plan");
  const [{ planSetup }, { enterAsRoot }] = await Promise.all([import("../plan/setup-plan.js"), import("./enter-as-root.js")]);
  return (script) => enterAsRoot("nspawn-setup", planSetup(script).machine.name, { kind: "shell" });
}

/** Makes the plans of scripts. Where the action may make the machine, what this host's systemd is too old for is a problem of the script, too. */
async function planner(action: Action): Promise<(script: Script) => Promise<SetupPlan>> {
  const [{ planSetup }, { makesMachine }] = await Promise.all([import("../plan/setup-plan.js"), import("../engine/setup/action.js")]);
  if (!makesMachine(action, false)) return async (script) => planSetup(script);
  const [{ LocalHost }, { systemdVersion }] = await Promise.all([import("../host/local.js"), import("../host/systemd-version.js")]);
  const version = systemdVersion(new LocalHost());
  version.catch(() => undefined);
  return async (script) => planSetup(script, await version);
}

/** For `status` and `nsenter`, which change nothing, this is not asked. */
function actionOf(word: string): Action {
  if (Object.hasOwn(actionHelp, word)) return word as Action;
  throw notOneOf("--action", word, Object.keys(actionHelp));
}

function generationOf(digits: string | undefined, action: Action): number | undefined {
  if (digits === undefined) return undefined;
  if (action !== "rollback") throw new UsageError("--generation is for --action=rollback alone");
  if (/^[1-9]\d{0,8}$/.test(digits)) return Number(digits);
  throw new UsageError(`--generation is the number of a generation, not ${JSON.stringify(digits)}`);
}
