import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { settleAll } from "../../base/settle.js";
import { readIfThere } from "../../host/files.js";
import { Systemd } from "../../host/systemd.js";
import { ImageStore } from "../../image/store.js";
import { addGeneration, type Generation, listGenerations, nextNumber } from "../../machine/generations.js";
import { machinePaths } from "../../machine/paths.js";
import { hasDefaultTemplate, type Machine, sameUnit } from "../../machine/unit.js";
import type { SetupPlan } from "../../plan/setup-plan.js";
import { loadRenderer, warmUp } from "../../template/template.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext } from "../context.js";
import { type Action, type ActionContext, makesMachine } from "./action.js";
import { dropGenerations } from "./drop-generations.js";
import { generationOf, installedGeneration, layerOf, noteUnit } from "./generation-of.js";
import { objectionTo } from "./installed.js";
import { disable, enable, installUnit, lookAt, type Now, removeMachine, say, start, startsWithHost, stop } from "./machine-steps.js";
import { MadeUnits } from "./made-units.js";
import { renderMachine, resolveMachine } from "./resolve-machine.js";
import { restored, rollbackTarget } from "./rollback.js";
import { recover, swap } from "./swap.js";
import { verifyUnit } from "./verify-unit.js";
import { workOnHost } from "./work.js";

/**
 * Does one action with a setup script's machine; one at a time for each machine.
 * @param generation the number of the one that `rollback` goes to; the one before by default
 */
export async function setupMachine(context: EngineContext, plan: SetupPlan, action: Action, generation?: number): Promise<void> {
  const { host, config, report } = context;
  const systemd = new Systemd(host);
  const store = await ImageStore.open(config.storage, host, report);
  const paths = machinePaths(plan.machine.name, config);
  const locking = store.lock(`machine ${plan.machine.name}`, (other) =>
    report({ kind: "begin", text: `waiting: ${other} works on this machine` }),
  );
  // The lock and systemd take their time to answer, in which what renders the unit can get ready.
  const made = new MadeUnits(store.notes.units);
  const loaded = loadIfWanted(action, { plan, config, paths, made });
  loaded.catch(() => undefined);
  const ready = async (): Promise<void> => {
    if (await loaded) await warmUp();
  };
  const lock = await locking;
  try {
    const transports = new Transports(config, process.env, report, host.interrupted);
    const actionContext = { ...context, store, transports, plan, systemd, paths, generation, ready, made };
    await recover(actionContext);
    await handlers[action](actionContext);
    await store.notes.units.save();
  } finally {
    lock.release();
    await store.close();
  }
}

/** Loads what renders units, if the action is likely to render one. Returns whether it is. */
async function loadIfWanted(
  action: Action,
  { plan, config, paths, made }: Pick<ActionContext, "plan" | "config" | "paths" | "made">,
): Promise<boolean> {
  const text = await readIfThere(paths.unit);
  const isRendered = makesMachine(action, text !== undefined) && (text === undefined || !made.knows(text));
  const isWanted = isRendered && !hasDefaultTemplate({ spec: plan.machine, config: config.machine });
  if (isWanted) await loadRenderer();
  return isWanted;
}

const handlers: { readonly [A in Action]: (context: ActionContext) => Promise<void> } = {
  update,
  ensure: async (context) => {
    if ((await lookAt(context)).unit === undefined) return update(context);
    await start(context);
    await enable(context);
  },
  desure: async (context) => {
    if ((await lookAt(context)).unit === undefined) return say(context, "is not there");
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
  start: whenRight("start", (context) => start(context)),
  stop: whenRight("stop", stop),
  command: (context) => workOnHost(context, context.plan),
  rollback: whenRight("rollback", rollback),
};

/** All that can fail comes while the old machine runs: pulling, settling, writing, checking, the steps on the host. Then the swap. */
async function update(context: ActionContext): Promise<void> {
  const { plan, paths } = context;
  const isNew = !existsSync(paths.unit);
  const looking = lookAt(context);
  // It may fail while nobody waits for it.
  looking.catch(() => undefined);
  try {
    const [, machine] = await settleAll([isNew ? undefined : looking, resolveMachine(context, plan), context.ready()]);
    await (isNew ? begin(context, machine, looking) : change(context, machine, await looking));
  } finally {
    await looking.catch(() => undefined);
  }
}

/** Makes a machine that is not there. systemd takes its time to say what it has of that name: until then, the unit is made and checked. */
async function begin(context: ActionContext, machine: Machine, looking: Promise<Now>): Promise<void> {
  const { plan, paths, systemd } = context;
  const next = newGeneration(context, machine, 1);
  const [now] = await settleAll([looking, verifyUnit(context, next.unit)]);
  if (now.unit !== undefined) return change(context, machine, now);
  // A unit of that name may have failed, and been removed by other hands.
  if (now.active !== "inactive") await systemd.resetFailed(paths.service);
  await forgetGenerations(context);
  await workOnHost(context, plan);
  await swap(context, next, undefined, now.fragment !== "");
}

async function change(context: ActionContext, machine: Machine, now: Now): Promise<void> {
  const { plan, paths } = context;
  if (now.unit === undefined) return begin(context, machine, Promise.resolve(now));
  const layer = layerOf(paths, now.unit);
  const isKnown = context.made.isOf(now.unit, machine, layer);
  const text = isKnown ? now.unit : renderMachine(plan, machine, layer, context.made);
  if (sameUnit(text, now.unit)) return refresh(context, machine, text, { ...now, unit: now.unit });
  const old = await installedGeneration(paths, now.unit);
  const next = newGeneration(context, machine, nextNumber(await listGenerations(paths)));
  await verifyUnit(context, next.unit);
  await workOnHost(context, plan);
  await swap(context, next, old);
}

/** Updates a machine to a unit that does the same: nothing is restarted, not for comments either. */
async function refresh(context: ActionContext, machine: Machine, text: string, now: Now & { readonly unit: string }): Promise<void> {
  const { plan } = context;
  await workOnHost(context, plan);
  if (text !== now.unit) await installUnit(context, text);
  await noteUnit(context.paths, generationOf(plan, machine, { number: 0, layer: layerOf(context.paths, text), unit: text }));
  // What an update that was cut short at its very end may have left.
  await dropGenerations(context);
  if (now.active !== "active") {
    await start(context, plan.machine.probe);
    return enable(context);
  }
  if (!startsWithHost(now)) await enable(context);
  say(context, "is up to date");
}

async function create(context: ActionContext): Promise<void> {
  const next = newGeneration(context, await resolveMachine(context, context.plan), 1);
  await verifyUnit(context, next.unit);
  await forgetGenerations(context);
  await workOnHost(context, context.plan);
  await installUnit(context, next.unit);
  await addGeneration(context.paths, next);
  say(context, `is written to ${context.paths.unit}`);
}

/** Needs nothing but what is on this host. */
async function rollback(context: ActionContext, unit: string): Promise<void> {
  const { plan, paths, store, generation } = context;
  const current = await installedGeneration(paths, unit);
  const generations = await listGenerations(paths);
  const options = { number: generation, extractFolder: store.extractFolder };
  const target = await rollbackTarget(plan.machine.name, generations, current, options);
  // One that was removed by hand may have been pulled again.
  await store.unsynced.sync(target.layers);
  await swap(context, restored(target, generations), current);
}

/** The generation that the script makes now. */
function newGeneration({ plan, made }: ActionContext, machine: Machine, number: number): Generation {
  return generationOf(plan, machine, { number, layer: number, unit: renderMachine(plan, machine, number, made) });
}

/** Those of a machine that is not there any more count no more. */
async function forgetGenerations({ paths }: ActionContext): Promise<void> {
  await rm(paths.generations, { recursive: true, force: true });
}

/** An action that wants the machine to be there, or not to be there. It gets the unit that is installed, empty if there is none. */
function whenRight(
  action: Action,
  act: (context: ActionContext, unit: string) => Promise<void>,
): (context: ActionContext) => Promise<void> {
  return async (context) => {
    const { unit, active } = await lookAt(context);
    const objection = objectionTo(action, context.plan.machine.name, { exists: unit !== undefined, active, unit });
    if (objection) throw objection;
    await act(context, unit ?? "");
  };
}
