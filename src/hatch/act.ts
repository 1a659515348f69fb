import { existsSync } from "node:fs";
import { buildImage } from "../engine/build/build.js";
import type { EngineContext } from "../engine/context.js";
import { findInstalled } from "../engine/setup/installed.js";
import { setupMachine } from "../engine/setup/setup.js";
import { Systemd } from "../host/systemd.js";
import { machinePaths } from "../machine/paths.js";
import type { SetupPlan } from "../plan/setup-plan.js";
import { splitColons } from "../settings/colons.js";
import { dropConfig } from "./config-link.js";
import type { HatchAction, ServicePlans } from "./plans.js";

/** `cache`: whether steps that were done before are used again. */
export type HatchOptions = { readonly cache: boolean };

type Handler = (context: EngineContext, plans: ServicePlans, options: HatchOptions) => Promise<void>;

/** Does an action with a service: builds its image where that is needed, then does the same with its machine. */
export async function actOnService(context: EngineContext, plans: ServicePlans, action: HatchAction, options: HatchOptions): Promise<void> {
  await handlers[action](context, plans, options);
}

const handlers: { readonly [A in HatchAction]: Handler } = {
  ensure: async (context, plans, options) => {
    if (!(await isThere(context, plans.setup))) await build(context, plans, options);
    await setupMachine(context, plans.setup, "ensure");
  },
  update: async (context, plans, options) => {
    await build(context, plans, options);
    await setupMachine(context, plans.setup, "update");
  },
  desure: async (context, { setup }) => {
    await setupMachine(context, setup, "desure");
    await dropConfig(setup.machine.name);
    for (const path of keptPaths(setup)) context.report({ kind: "acted", text: `kept: ${path}` });
  },
};

async function build(context: EngineContext, plans: ServicePlans, options: HatchOptions): Promise<void> {
  if (plans.build) await buildImage(context, plans.build, options);
}

/**
 * Whether the service's machine is on this host.
 * @throws NspawnError where systemd does not run
 */
async function isThere({ host, config }: Pick<EngineContext, "host" | "config">, { machine }: SetupPlan): Promise<boolean> {
  const paths = machinePaths(machine.name, config);
  const { fragment } = await new Systemd(host).state(paths.service);
  return (await findInstalled(paths, fragment)).kind === "machine";
}

/** Files and folders of this host that the script gives to the machine, as far as they are there. */
function keptPaths({ settings }: SetupPlan): readonly string[] {
  const bound = settings.entries.filter(({ name }) => name === "Bind" || name === "BindReadOnly");
  const sources = bound.map(({ value }) => splitColons(value)[0] ?? "");
  return [...new Set(sources)].filter((path) => path.startsWith("/") && existsSync(path)).sort();
}
