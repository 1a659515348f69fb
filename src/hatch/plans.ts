import type { Config } from "../config/config.js";
import { type BuildPlan, planBuild } from "../plan/build-plan.js";
import { planSetup, type SetupPlan } from "../plan/setup-plan.js";
import { loadScript, type Script } from "../script/load.js";
import type { Service } from "./services.js";

/** What can be done with a service. */
export type HatchAction = "ensure" | "desure" | "update";

/** What the scripts of a service say, all checked. Where it is only taken away, its build does not matter. */
export type ServicePlans = { readonly service: Service; readonly build: BuildPlan | undefined; readonly setup: SetupPlan };

/** The scripts of a service after they ran: nothing checked, nothing done. */
export type ServiceScripts = { readonly service: Service; readonly build: Script | undefined; readonly setup: Script };

/**
 * Runs the scripts that an action needs, one after the other.
 * @throws ScriptError of the first that fails
 */
export async function loadService(service: Service, action: HatchAction, config: Config): Promise<ServiceScripts> {
  const build = action === "desure" ? undefined : await loadScript(service.build, "build", config);
  return { service, build, setup: await loadScript(service.setup, "setup", config) };
}

/**
 * Makes the plans of a service.
 * @param systemd the version of this host's systemd-nspawn
 * @throws ScriptError with all problems of the first script that has any
 */
export function planService({ service, build, setup }: ServiceScripts, systemd: number | undefined): ServicePlans {
  return { service, build: build && planBuild(build), setup: planSetup(setup, systemd) };
}
