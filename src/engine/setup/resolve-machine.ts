import { noMemory } from "../../base/digest-memory.js";
import { NspawnError, ProblemsError, ScriptError } from "../../base/errors.js";
import { systemdVersion } from "../../host/systemd-version.js";
import { type ImageChain, resolveChain } from "../../image/resolve.js";
import { machinePaths, withLayer } from "../../machine/paths.js";
import { refusalError, type Settled, settle } from "../../machine/settle.js";
import { type Machine, renderUnit } from "../../machine/unit.js";
import type { SetupPlan } from "../../plan/setup-plan.js";
import type { EngineContext, SetupContext } from "../context.js";
import { MadeUnits } from "./made-units.js";

/**
 * Settles all of a machine: its image's ancestors, brought into the store and onto the disk, and the settings of all of them.
 * @throws NspawnError with all that speaks against the machine
 */
export async function resolveMachine(context: SetupContext, plan: SetupPlan): Promise<Machine> {
  const { host, config, store } = context;
  const [chain, systemd] = await Promise.all([
    resolveChain({ ...context, syncsFirst: true }, [{ image: plan.image, digest: undefined, pinned: false, at: plan.lines.image }]),
    plan.systemd ?? systemdVersion(host),
  ]);
  const settled = settle(plan, chain, { trustList: config.machine.trustList, systemd });
  const refusal = refusalError(settled);
  if (refusal) throw refusal;
  for (const text of settled.warnings) context.report({ kind: "warning", text });
  await store.unsynced.sync(
    chain.map(({ layer }) => layer.id),
    () => context.report({ kind: "begin", text: "waiting until the disk has the image" }),
  );
  return machineOf(plan, chain, settled, config, store.extractFolder);
}

/**
 * The unit of a machine.
 * @param layer number of its writable layer
 * @param made gets what it is made of
 * @throws ProblemsError with the line of MACHINE; a ScriptError, if the template is the script's own
 */
export function renderMachine(plan: SetupPlan, machine: Machine, layer: number, made = new MadeUnits(noMemory)): string {
  const layered = { ...machine, paths: withLayer(machine.paths, layer) };
  try {
    const { text, key } = renderUnit(layered);
    if (key !== undefined) made.note(text, key);
    return text;
  } catch (error) {
    if (!(error instanceof NspawnError)) throw error;
    const problems = [{ at: plan.lines.machine, message: `MACHINE: ${error.message}`, hint: error.hint, cause: error }];
    throw plan.machine.template === undefined ? new ProblemsError(problems, { cause: error }) : new ScriptError(problems, { cause: error });
  }
}

/** @param layersFolder folder of the layers: the unit names them relative to it */
export function machineOf(
  plan: SetupPlan,
  chain: ImageChain,
  { settings, command, systemd }: Settled,
  config: EngineContext["config"],
  layersFolder: string,
): Machine {
  return {
    script: plan.script,
    spec: plan.machine,
    chain,
    settings,
    command,
    systemd,
    config: config.machine,
    paths: machinePaths(plan.machine.name, config),
    layersFolder,
  };
}
