import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "../../base/events.js";
import type { Config } from "../../config/config.js";
import type { Host } from "../../host/host.js";
import { copyIntoRoot } from "../../layer/copy.js";
import { type OverlayLayers, prepareOverlay, whileMounted } from "../../layer/overlay.js";
import type { StepOf, WorkStep } from "../../plan/step.js";
import { renderCast } from "../cast.js";
import { shellCommand } from "../shell.js";
import { fetchIntoImage } from "./fetch.js";
import type { Fetches } from "./fetches.js";
import { type RunEnvironment, runInImage } from "./run-step.js";

/** Where a step works: its upper layer above the layers before it, and a folder of its own for what it needs meanwhile. */
export type StepContext = {
  readonly host: Host;
  readonly config: Config;
  readonly fetches: Pick<Fetches, "get">;
  readonly folder: string;
  readonly scriptFolder: string;
  readonly layers: OverlayLayers;
  readonly environment: RunEnvironment;
  readonly report: Report;
};

type Handlers = { readonly [K in WorkStep["kind"]]: (context: StepContext, step: StepOf<K>) => Promise<void> };

/** Does one work step of a build. */
export function workInImage(context: StepContext, step: WorkStep): Promise<void> {
  const handle = handlers[step.kind] as (context: StepContext, step: WorkStep) => Promise<void>;
  return handle(context, step);
}

const handlers: Handlers = {
  copy: (context, { source, target }) => copyToImage(context, source, target),
  cast: async (context, step) => {
    const staging = join(context.folder, "cast");
    await mkdir(staging, { recursive: true });
    return copyToImage(context, await renderCast(context.host, step, context.scriptFolder, staging), step.target);
  },
  fetch: fetchIntoImage,
  run: (context, { argv }) => runCommand(context, argv),
  sh: (context, { script }) => runCommand(context, shellCommand(context.config.build.shellInvoke, script)),
};

export async function copyToImage({ host, folder, layers }: StepContext, source: string, target: string): Promise<void> {
  const overlay = prepareOverlay(join(folder, "view"), layers);
  await whileMounted(host, overlay, (root) => copyIntoRoot(host, { source, root, target }));
}

async function runCommand(context: StepContext, argv: readonly string[]): Promise<void> {
  const { host, folder, layers, environment, report } = context;
  const onLine = (line: string): void => report({ kind: "output", line });
  await runInImage(host, join(folder, "view"), layers, argv, environment, onLine);
}
