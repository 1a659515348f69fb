import { InterruptedError, messageOf, NspawnError } from "../../base/errors.js";
import { secondsSince } from "../../base/events.js";
import { Systemd } from "../../host/systemd.js";
import { ImageStore } from "../../image/store.js";
import { type MachinePaths, machinePaths } from "../../machine/paths.js";
import { renderUnit } from "../../machine/unit.js";
import type { SetupPlan } from "../../plan/setup-plan.js";
import type { EngineContext, SetupContext } from "../context.js";
import { resolveMachine } from "./resolve-machine.js";
import { clearRuntime, currentUnit, installUnit, removeUnit, verifyUnit } from "./unit-file.js";
import { workOnHost } from "./work.js";

/** What can be done with a machine; the help of nspawn-setup says what each means. */
export type Action = "update" | "ensure" | "desure" | "create" | "delete" | "enable" | "disable" | "start" | "stop" | "command";

type ActionContext = SetupContext & { readonly plan: SetupPlan; readonly systemd: Systemd; readonly paths: MachinePaths };

/** Does one action with a setup script's machine; one at a time for each machine. */
export async function setupMachine(context: EngineContext, plan: SetupPlan, action: Action): Promise<void> {
  const { host, config, report } = context;
  const systemd = new Systemd(host);
  const store = await ImageStore.open(config.storageRoot, host);
  const lock = await store.lock(`machine ${plan.machine.name}`, (other) =>
    report({ kind: "begin", text: `waiting: ${other} works on this machine` }),
  );
  try {
    await handlers[action]({ ...context, store, plan, systemd, paths: machinePaths(plan.machine.name, config) });
  } finally {
    await lock.release();
  }
}

const handlers: { readonly [A in Action]: (context: ActionContext) => Promise<void> } = {
  update,
  ensure: async (context) => {
    if ((await currentUnit(context.systemd, context.paths)) === undefined) await create(context);
    await enable(context);
    await start(context);
  },
  desure: async (context) => {
    if ((await currentUnit(context.systemd, context.paths)) === undefined) return say(context, "is not there");
    await stop(context);
    await disable(context);
    await remove(context);
  },
  create: async (context) => {
    if ((await currentUnit(context.systemd, context.paths)) !== undefined) {
      throw new NspawnError(`the machine ${context.plan.machine.name} is there already`, {
        hint: "--action=update brings it to what the script says now",
      });
    }
    await create(context);
  },
  delete: async (context) => {
    await requireUnit(context);
    const { active } = await context.systemd.state(context.paths.service);
    if (active !== "inactive" && active !== "failed") {
      throw new NspawnError(`the machine ${context.plan.machine.name} runs (${active})`, {
        hint: "--action=stop before, or --action=desure does all at once",
      });
    }
    await disable(context);
    await remove(context);
  },
  enable: async (context) => {
    await requireUnit(context);
    await enable(context);
  },
  disable: async (context) => {
    await requireUnit(context);
    await disable(context);
  },
  start: async (context) => {
    await requireUnit(context);
    await start(context);
  },
  stop: async (context) => {
    await requireUnit(context);
    await stop(context);
  },
  command: (context) => workOnHost(context, context.plan),
};

/**
 * All that can fail comes while the old machine runs: pulling, settling, writing, checking, the steps on the host. Then the
 * old one stops, the units are swapped, the new one starts; if it does not, the old one is put back.
 */
async function update(context: ActionContext): Promise<void> {
  const { systemd, paths, plan } = context;
  const old = await currentUnit(systemd, paths);
  const text = renderUnit(await resolveMachine(context, plan));
  const changed = text !== old;
  if (changed) await verifyUnit(context, paths.service, text);
  await workOnHost(context, plan);
  if (!changed) {
    await enable(context);
    const { active } = await systemd.state(paths.service);
    return active === "active" ? say(context, "is up to date") : start(context);
  }
  await stop(context);
  try {
    // Every version begins with a clean layer, whatever the last one kept.
    await clearRuntime(context.host, paths);
    await installUnit(systemd, paths, text);
    await enable(context);
    await start(context);
  } catch (error) {
    if (old === undefined || error instanceof InterruptedError) throw error;
    throw await putBack(context, old, error);
  }
  say(context, old === undefined ? "is new" : "is updated");
}

/** Puts the old version back and starts it. Returns the error that says so. */
async function putBack(context: ActionContext, old: string, error: unknown): Promise<NspawnError> {
  const { systemd, paths, plan } = context;
  const about = { cause: error instanceof NspawnError ? error.cause : error, hint: error instanceof NspawnError ? error.hint : undefined };
  try {
    await stop(context);
    if ((await currentUnit(systemd, paths)) !== old) await installUnit(systemd, paths, old);
    await systemd.start(paths.service);
  } catch (second) {
    const both = `${messageOf(error)}; and the machine ${plan.machine.name} could not be brought back as it was: ${messageOf(second)}`;
    return new NspawnError(both, about);
  }
  return new NspawnError(`${messageOf(error)}; the machine ${plan.machine.name} runs as it was before`, about);
}

async function create(context: ActionContext): Promise<void> {
  const text = renderUnit(await resolveMachine(context, context.plan));
  await verifyUnit(context, context.paths.service, text);
  await workOnHost(context, context.plan);
  await installUnit(context.systemd, context.paths, text);
  say(context, `is written to ${context.paths.unit}`);
}

async function requireUnit(context: ActionContext): Promise<void> {
  if ((await currentUnit(context.systemd, context.paths)) !== undefined) return;
  throw new NspawnError(`there is no machine ${context.plan.machine.name} on this host`, { hint: "--action=ensure creates and starts it" });
}

async function enable({ systemd, paths, ...context }: ActionContext): Promise<void> {
  if ((await systemd.state(paths.service)).enabled === "enabled") return;
  await systemd.enable(paths.service);
  say(context, "starts with the host");
}

async function disable({ systemd, paths, ...context }: ActionContext): Promise<void> {
  if ((await systemd.state(paths.service)).enabled === "disabled") return;
  await systemd.disable(paths.service);
  say(context, "does not start with the host");
}

async function start({ systemd, paths, ...context }: ActionContext): Promise<void> {
  if ((await systemd.state(paths.service)).active === "active") return say(context, "runs already");
  const started = performance.now();
  await systemd.start(paths.service);
  say(context, "runs", secondsSince(started));
}

async function stop({ systemd, paths, ...context }: ActionContext): Promise<void> {
  const { active } = await systemd.state(paths.service);
  if (active === "inactive" || active === "failed") return;
  const started = performance.now();
  await systemd.stop(paths.service);
  say(context, "has stopped", secondsSince(started));
}

async function remove(context: ActionContext): Promise<void> {
  await removeUnit(context.host, context.systemd, context.paths);
  say(context, "is removed");
}

function say({ report, plan }: Pick<ActionContext, "report" | "plan">, what: string, seconds?: number): void {
  report({ kind: "acted", text: `machine ${plan.machine.name} ${what}`, ...(seconds === undefined ? {} : { seconds }) });
}
