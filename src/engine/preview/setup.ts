import { messageOf, NspawnError } from "../../base/errors.js";
import { readIfThere } from "../../host/files.js";
import { isSystemdHost, Systemd, type UnitState } from "../../host/systemd.js";
import { systemdVersion } from "../../host/systemd-version.js";
import { noMeta } from "../../image/meta.js";
import { type ImagePreview, previewChain } from "../../image/preview.js";
import { ImageStore, type StoredImage } from "../../image/store.js";
import { machinePaths } from "../../machine/paths.js";
import { type Settled, settle } from "../../machine/settle.js";
import { renderUnit, sameUnit } from "../../machine/unit.js";
import type { SetupPlan } from "../../plan/setup-plan.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext } from "../context.js";
import type { Action } from "../setup/action.js";
import { machineOf } from "../setup/resolve-machine.js";

/** What an action with a machine would do on this host. */
export type SetupPreview = {
  readonly plan: SetupPlan;
  readonly action: Action;
  /** The image and its ancestors, the top layer first. */
  readonly images: readonly ImagePreview[];
  readonly settled: Settled;
  readonly unit: UnitPreview;
  /** What systemd knows of the unit; undefined where systemd does not run. */
  readonly state: UnitState | undefined;
};

/** The unit as it is, and as it would be. `comments`: nothing but comments changes, so nothing is restarted. */
export type UnitPreview = {
  readonly path: string;
  readonly installed: string | undefined;
} & (
  | { readonly change: "new" | "changed" | "comments" | "none"; readonly planned: string }
  /** It cannot be told; `error`: since it cannot be made. */
  | { readonly change: "unknown"; readonly planned?: undefined; readonly trouble: string; readonly error?: NspawnError }
);

/** Looks at what setting up a machine would do. Nothing is changed, and no rights are needed. */
export async function previewSetup(context: EngineContext, plan: SetupPlan, action: Action): Promise<SetupPreview> {
  const { host, config, report } = context;
  const store = await ImageStore.view(config.storage, host, report);
  const transports = new Transports(config, process.env, report);
  const paths = machinePaths(plan.machine.name, config);
  const [images, systemd, installed, state] = await Promise.all([
    previewChain({ host, store, transports, report }, [{ image: plan.image, digest: undefined, pinned: false }]),
    systemdVersion(host),
    readIfThere(paths.unit),
    isSystemdHost() ? new Systemd(host).state(paths.service) : undefined,
  ]);
  const chain = images.map(asStored);
  const settled = settle(plan, chain, { trustList: config.machine.trustList, systemd });
  const unit = previewUnit(paths.unit, installed, images, () => renderUnit(machineOf(plan, chain, settled, config, store.extractFolder)));
  return { plan, action, images, settled, unit, state };
}

function previewUnit(path: string, installed: string | undefined, images: readonly ImagePreview[], render: () => string): UnitPreview {
  const missing = images.find(({ known }) => known === undefined);
  if (missing) return { path, installed, change: "unknown", trouble: `${missing.image.written} cannot be read yet` };
  try {
    const planned = render();
    return { path, installed, planned, change: changeOf(installed, planned) };
  } catch (error) {
    if (!(error instanceof NspawnError)) throw error;
    return { path, installed, change: "unknown", trouble: messageOf(error), error };
  }
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
