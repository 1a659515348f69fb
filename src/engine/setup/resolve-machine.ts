import { NspawnError } from "../../base/errors.js";
import { type ImageChain, resolveChain } from "../../image/resolve.js";
import { hasAttributes } from "../../layer/overlay.js";
import { machinePaths } from "../../machine/paths.js";
import type { Machine } from "../../machine/unit.js";
import type { SetupPlan } from "../../plan/setup-plan.js";
import { mergeSettings, type Setting } from "../../settings/merge.js";
import { ungranted } from "../../settings/trust.js";
import type { SetupContext } from "../context.js";
import { settingSource } from "../inherit.js";

/** Settles all of a machine: its image's ancestors, brought into the store, and the settings of all of them. */
export async function resolveMachine({ host, config, report, store }: SetupContext, plan: SetupPlan): Promise<Machine> {
  const chain = await resolveChain({ host, store, report }, [{ image: plan.image, digest: undefined, pinned: false }]);
  const settings = mergeSettings([...chain.map(settingSource).reverse(), plan.settings]);
  checkTrust(plan, settings);
  checkStart(settings);
  const [top] = chain;
  return {
    script: plan.script,
    spec: plan.machine,
    chain,
    settings,
    command: commandOf(plan, chain, settings),
    rootAttributes: top !== undefined && (await hasAttributes(host, top.layer.folder)),
    paths: machinePaths(plan.machine.name, config),
    layersFolder: store.extractFolder,
  };
}

/**
 * EXEC: the nearest wins, the script itself before the image, the image before its parents. The same goes for Boot against EXEC: an
 * image that boots is not given the command of one below it as arguments of init.
 */
function commandOf(plan: SetupPlan, chain: ImageChain, settings: readonly Setting[]): Machine["command"] {
  const boot = settings.find(({ name, value }) => name === "Boot" && value === "yes");
  if (plan.command && boot) {
    throw new NspawnError(`EXEC of ${plan.script} would become arguments of init: ${boot.origin} sets Boot`, {
      hint: "WITH({ Boot: null }) runs the command instead; arguments of init go into Parameters",
    });
  }
  if (plan.command) return { argv: plan.command, origin: plan.script };
  const image = chain.find(({ meta }) => meta.command !== undefined);
  if (!image?.meta.command) return undefined;
  const distance = (origin: string): number => chain.findIndex((other) => other.image.written === origin);
  if (boot && distance(boot.origin) < distance(image.image.written)) return undefined;
  return { argv: image.meta.command, origin: image.image.written };
}

/** What systemd-nspawn would refuse at the start only. */
function checkStart(settings: readonly Setting[]): void {
  const [boot, two] = (["Boot", "ProcessTwo"] as const).map((name) =>
    settings.find((setting) => setting.name === name && setting.value === "yes"),
  );
  if (!boot || !two) return;
  throw new NspawnError(`Boot (from ${boot.origin}) and ProcessTwo (from ${two.origin}) exclude each other`, {
    hint: "take one away by null in WITH",
  });
}

/** Images from elsewhere may suggest what opens the host to the machine, but the script has to agree. */
function checkTrust(plan: SetupPlan, settings: readonly Setting[]): void {
  const refused = ungranted(settings, {
    script: plan.script,
    repeated: plan.settings.entries,
    names: plan.grant,
    trusts: (origin) => origin.startsWith("file:"),
  });
  if (refused.length === 0) return;
  const list = refused.map(({ name, value, origin }) => `  ${name}=${value}  from ${origin}`).join("\n");
  const names = [...new Set(refused.map(({ name }) => JSON.stringify(name)))].join(", ");
  throw new NspawnError(`the image sets what opens this host to the machine:\n${list}`, {
    hint: `if that is meant: IMAGE(${JSON.stringify(plan.image.written)}, { grant: [${names}] }), or give these settings in WITH`,
  });
}
