import { Systemd } from "../../host/systemd.js";
import { ImageStore } from "../../image/store.js";
import { machinePaths } from "../../machine/paths.js";
import { sameUnit } from "../../machine/unit.js";
import type { SetupPlan } from "../../plan/setup-plan.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext } from "../context.js";
import type { Action, ActionContext } from "./action.js";
import { objectionTo } from "./installed.js";
import { currentUnit, disable, enable, installUnit, removeMachine, say, start, stop } from "./machine-steps.js";
import { renderMachine, resolveMachine } from "./resolve-machine.js";
import { recover, swap } from "./swap.js";
import { verifyUnit } from "./verify-unit.js";
import { workOnHost } from "./work.js";

/** Does one action with a setup script's machine; one at a time for each machine. */
export async function setupMachine(context: EngineContext, plan: SetupPlan, action: Action): Promise<void> {
  const { host, config, report } = context;
  const systemd = new Systemd(host);
  const store = await ImageStore.open(config.storage, host, report);
  const lock = await store.lock(`machine ${plan.machine.name}`, (other) =>
    report({ kind: "begin", text: `waiting: ${other} works on this machine` }),
  );
  try {
    const transports = new Transports(config, process.env, report, host.interrupted);
    const actionContext = { ...context, store, transports, plan, systemd, paths: machinePaths(plan.machine.name, config) };
    await recover(actionContext);
    await handlers[action](actionContext);
  } finally {
    await lock.release();
    await store.close();
  }
}

const handlers: { readonly [A in Action]: (context: ActionContext) => Promise<void> } = {
  update,
  ensure: async (context) => {
    if ((await currentUnit(context)) === undefined) await create(context);
    await start(context);
    await enable(context);
  },
  desure: async (context) => {
    if ((await currentUnit(context)) === undefined) return say(context, "is not there");
    await removeMachine(context);
    say(context, "is removed");
  },
  create: whenRight("create", create),
  delete: whenRight("delete", async (context) => {
    await removeMachine(context);
    say(context, "is removed");
  }),
  enable: whenRight("enable", enable),
  disable: whenRight("disable", disable),
  start: whenRight("start", start),
  stop: whenRight("stop", stop),
  command: (context) => workOnHost(context, context.plan),
};

/** All that can fail comes while the old machine runs: pulling, settling, writing, checking, the steps on the host. Then the swap. */
async function update(context: ActionContext): Promise<void> {
  const old = await currentUnit(context);
  const text = renderMachine(context.plan, await resolveMachine(context, context.plan));
  const changed = old === undefined || !sameUnit(text, old);
  if (changed) await verifyUnit(context, text);
  await workOnHost(context, context.plan);
  if (changed) return swap(context, text, old);
  // Comments alone are no reason to restart.
  if (text !== old) await installUnit(context, text);
  const { active } = await context.systemd.state(context.paths.service);
  await (active === "active" ? say(context, "is up to date") : start(context));
  await enable(context);
}

async function create(context: ActionContext): Promise<void> {
  const text = renderMachine(context.plan, await resolveMachine(context, context.plan));
  await verifyUnit(context, text);
  await workOnHost(context, context.plan);
  await installUnit(context, text);
  say(context, `is written to ${context.paths.unit}`);
}

/** An action that wants the machine to be there, or not to be there. */
function whenRight(action: Action, act: (context: ActionContext) => Promise<void>): (context: ActionContext) => Promise<void> {
  return async (context) => {
    const exists = (await currentUnit(context)) !== undefined;
    const { active } = await context.systemd.state(context.paths.service);
    const objection = objectionTo(action, context.plan.machine.name, { exists, active });
    if (objection) throw objection;
    await act(context);
  };
}
