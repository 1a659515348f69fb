import { messageOf, NspawnError, ProblemsError } from "../../base/errors.js";
import { isSystemdHost, Systemd, type UnitState } from "../../host/systemd.js";
import { systemdVersion } from "../../host/systemd-version.js";
import { noMeta } from "../../image/meta.js";
import { type ImagePreview, previewChain } from "../../image/preview.js";
import { ImageStore, type StoredImage } from "../../image/store.js";
import { currentOf, type Generation, listGenerations, nextNumber } from "../../machine/generations.js";
import { type MachinePaths, machinePaths, withLayer } from "../../machine/paths.js";
import { type Settled, settle } from "../../machine/settle.js";
import { sameUnit } from "../../machine/unit.js";
import { canEnable } from "../../machine/unit-install.js";
import { readNotes } from "../../machine/unit-notes.js";
import type { SetupPlan } from "../../plan/setup-plan.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext } from "../context.js";
import { type Action, makesMachine } from "../setup/action.js";
import { layerOf } from "../setup/generation-of.js";
import { findInstalled, type Installed, objectionTo } from "../setup/installed.js";
import { machineOf, renderMachine } from "../setup/resolve-machine.js";
import { rollbackTarget } from "../setup/rollback.js";
import { type Effect, effectsOf, type Present } from "./effects.js";

/** What an action with a machine would do on this host. */
export type SetupPreview = {
  readonly plan: SetupPlan;
  readonly action: Action;
  /** Whether the machine is there now. */
  readonly exists: boolean;
  /** What systemd knows of the unit; undefined where systemd does not run. */
  readonly state: UnitState | undefined;
  /** What the machine is made of; undefined for an action that makes none, and so needs no image. */
  readonly made: MadeOf | undefined;
  /** The generation that a rollback brings back. */
  readonly restored: Generation | undefined;
  /** Undefined where that depends on a change of the unit, and it is not known. */
  readonly effects: readonly Effect[] | undefined;
  readonly unit: UnitPreview;
  /** Why the action cannot be done with what is there now. */
  readonly objection: NspawnError | undefined;
};

/** The image and its ancestors, the top layer first; settings and command of all of them. */
export type MadeOf = { readonly images: readonly ImagePreview[]; readonly settled: Settled };

/** The unit as it is, and as it would be. `comments`: nothing but comments changes, so nothing is restarted. `kept`: it is not touched. */
export type UnitPreview = {
  readonly path: string;
  readonly installed: string | undefined;
} & (
  | { readonly change: "new" | "changed" | "comments" | "none"; readonly planned: string }
  | { readonly change: "removed" | "kept"; readonly planned?: undefined }
  /** What changes cannot be told; `error`: since it cannot be made. */
  | { readonly change: "unknown"; readonly planned?: string; readonly trouble: string; readonly error?: ProblemsError }
);

/**
 * Looks at what an action would do. Nothing is changed, and no rights are needed. Images are asked for only where it needs them.
 * @param generation the number of the one that `rollback` goes to; the one before by default
 */
export async function previewSetup(context: EngineContext, plan: SetupPlan, action: Action, generation?: number): Promise<SetupPreview> {
  const { host, config, report } = context;
  const paths = machinePaths(plan.machine.name, config);
  const state = isSystemdHost() ? await new Systemd(host).state(paths.service) : undefined;
  const found = await findInstalled(paths, state?.fragment ?? "");
  if (found.kind === "unreadable") {
    report({ kind: "warning", text: `this user may not read the unit ${paths.unit}: what is in it now is not known` });
  }
  const exists = found.kind === "machine" || found.kind === "unreadable";
  const made = makesMachine(action, exists) ? await previewMachine(context, plan) : undefined;
  for (const text of made?.settled.warnings ?? []) report({ kind: "warning", text });
  const generations = await listGenerations(paths);
  const target = action === "rollback" && exists ? await findTarget(context, plan, generations, generation) : undefined;
  const restored = target instanceof NspawnError ? undefined : target;
  const unit = previewUnit({ action, paths, found, made, restored, next: nextNumber(generations) });
  const present = { ...presentMachine(context, { paths, found, state, restored }), exists, canEnable: saysWhen(unit) };
  const changes = unit.change === "changed" || unit.change === "new";
  return {
    plan,
    action,
    exists,
    state,
    made,
    restored,
    effects: exists && unit.change === "unknown" ? undefined : effectsOf(action, present, changes),
    unit,
    objection: objection({ action, plan, exists, found, state }) ?? (target instanceof NspawnError ? target : undefined),
  };
}

/** Whether the unit, as it will be, says how a machine starts with the host; so it does where it is not known. */
function saysWhen({ planned, installed }: UnitPreview): boolean {
  const text = planned ?? installed;
  return text === undefined || canEnable(text);
}

type Found = { readonly found: Installed; readonly state: UnitState | undefined };

function presentMachine(
  { config }: EngineContext,
  { paths, found, state, restored }: Found & { readonly paths: MachinePaths; readonly restored: Generation | undefined },
): Omit<Present, "exists" | "canEnable"> {
  return {
    active: state?.active ?? "",
    enabled: state?.enabled === "enabled",
    isVolatile: isVolatile(found),
    isKept: config.machine.keepGenerations > 1,
    paths: found.kind === "machine" ? withLayer(paths, layerOf(paths, found.unit)) : paths,
    restored: restored?.state === "keep" ? withLayer(paths, restored.layer).runtime : undefined,
  };
}

type Asked = Found & { readonly action: Action; readonly plan: SetupPlan; readonly exists: boolean };

function objection({ action, plan, exists, found, state }: Asked): NspawnError | undefined {
  // A command does not ask whose machine it is.
  if (found.kind === "foreign" && action !== "command") return found.error;
  return objectionTo(action, plan.machine.name, { exists, active: state?.active, unit: found.kind === "machine" ? found.unit : undefined });
}

/** The generation that a rollback brings back, or why there is none. */
async function findTarget(
  { config }: EngineContext,
  { machine: { name } }: SetupPlan,
  generations: readonly Generation[],
  number: number | undefined,
): Promise<Generation | NspawnError> {
  const current = currentOf(generations);
  if (!current) return new NspawnError(`the machine ${name} has no generation to go back to`);
  try {
    return await rollbackTarget(name, generations, current, { number, extractFolder: config.storage.extract });
  } catch (error) {
    if (error instanceof NspawnError) return error;
    throw error;
  }
}

/** What is needed for the unit besides what is seen of it. */
type Made = MadeOf & { readonly render: (layer: number) => string };

async function previewMachine({ host, config, report }: EngineContext, plan: SetupPlan): Promise<Made> {
  const store = await ImageStore.view(config.storage, host, report);
  const transports = new Transports(config, process.env, report, host.interrupted);
  const wanted = { image: plan.image, digest: undefined, pinned: false, at: plan.lines.image };
  const [images, systemd] = await Promise.all([
    previewChain({ host, config, store, transports, report }, [wanted]),
    plan.systemd ?? systemdVersion(host),
  ]);
  const chain = images.map(asStored);
  const complete = images.every(({ known }) => known !== undefined);
  const settled = settle(plan, chain, { trustList: config.machine.trustList, systemd, complete });
  return { images, settled, render: (layer) => renderMachine(plan, machineOf(plan, chain, settled, config, store.extractFolder), layer) };
}

type Sights = {
  readonly action: Action;
  readonly paths: MachinePaths;
  readonly found: Installed;
  readonly made: Made | undefined;
  readonly restored: Generation | undefined;
  /** The number that a new generation and its writable layer get. */
  readonly next: number;
};

function previewUnit({ action, paths, found, made, restored, next }: Sights): UnitPreview {
  const path = paths.unit;
  const installed = found.kind === "machine" ? found.unit : undefined;
  if (restored) return { path, installed, planned: restored.unit, change: "changed" };
  if (!made) {
    const isRemoved = (action === "desure" || action === "delete") && (found.kind === "machine" || found.kind === "unreadable");
    return { path, installed, change: isRemoved ? "removed" : "kept" };
  }
  const missing = made.images.find(({ known }) => known === undefined);
  if (missing) return { path, installed, change: "unknown", trouble: "what will be in it is not known, since an image cannot be had" };
  try {
    const planned = plannedUnit({ paths, made, next }, installed);
    if (found.kind === "unreadable") return { path, installed, planned, change: "unknown", trouble: "this user may not read it" };
    return { path, installed, planned, change: changeOf(installed, planned) };
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    return { path, installed, change: "unknown", trouble: messageOf(error), error };
  }
}

/** The unit as it would be installed: one that does what the installed one does keeps its writable layer, another gets its own. */
function plannedUnit(
  { paths, made, next }: Pick<Sights, "paths" | "next"> & { readonly made: Made },
  installed: string | undefined,
): string {
  if (installed === undefined) return made.render(next);
  const same = made.render(layerOf(paths, installed));
  return sameUnit(same, installed) ? same : made.render(next);
}

/** Whether a machine's own unit clears its writable layer when it stops. */
function isVolatile(found: Installed): boolean {
  return found.kind === "machine" && readNotes(found.unit).state === "volatile";
}

function changeOf(installed: string | undefined, planned: string): "new" | "changed" | "comments" | "none" {
  if (installed === undefined) return "new";
  if (installed === planned) return "none";
  return sameUnit(installed, planned) ? "comments" : "changed";
}

/** An image as it would be in the store. What only pulling it tells is named as that. */
function asStored({ image, stored, known }: ImagePreview): StoredImage {
  const root = { mode: 0o755, uid: 0, gid: 0, attributes: false };
  const layer = stored ?? { id: "not-pulled-yet", folder: "/not-pulled-yet", digest: "not pulled yet", bytes: 0, root };
  return { image, layer, meta: known ?? noMeta(image.written) };
}
