import { lstatSync, mkdirSync, renameSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { builtin } from "../../base/builtin.js";
import { isRecord } from "../../base/is-record.js";
import { attempt, removeFile, statIfSeen } from "../../host/files.js";
import { inspectLayer } from "../../layer/fingerprint.js";
import type { Claims } from "./claims.js";
import type { StoreFiles } from "./files.js";
import type { UnsyncedLayers } from "./unsynced-layers.js";

/**
 * What a step of a build has made: the root of its upper layer; undefined if the step changed nothing. `id` is its own: a step that is
 * done again makes another one.
 */
export type StepLayer = { readonly id: string; readonly folder: string | undefined };

/** One that is in the cache. `bytes`: on disk; `used`: when it was last found. */
export type CachedStep = { readonly key: string; readonly id: string; readonly bytes: number; readonly used: Date };

/** Paths of folders that no description names, and of descriptions that are damaged: a kill leaves such, or a damaged disk. */
export type StepLeftovers = { readonly folders: readonly string[]; readonly descriptions: readonly string[] };

/** What is in the cache, and what was left there. */
export type StepSurvey = { readonly steps: readonly CachedStep[]; readonly leftovers: StepLeftovers };

/** `step/<start of the key>.json`. `fingerprint`: of the layer's folder; none if the step changed nothing. */
type Description = {
  readonly key: string;
  readonly id: string;
  readonly fingerprint: string | undefined;
  readonly bytes: number;
};

/**
 * The step cache: layers of steps by keys, 64 hexadecimal digits that stand for all that they are made from.
 * ```
 * step/<start of the key>.json    what is found by the key
 * extract/step/<id>/              root of the layer
 * ```
 * A layer without a description is found by nobody: a build works with it, or was killed. Who uses a layer claims it, as with images.
 */
export class StepLayers {
  readonly #descriptions: string;
  readonly #folder: string;
  readonly #files: StoreFiles;
  readonly #claims: Claims;
  readonly #unsynced: UnsyncedLayers;

  constructor(folders: { readonly root: string; readonly extract: string }, files: StoreFiles, claims: Claims, unsynced: UnsyncedLayers) {
    this.#descriptions = join(folders.root, "step");
    this.#folder = join(folders.extract, "step");
    this.#files = files;
    this.#claims = claims;
    this.#unsynced = unsynced;
  }

  /** What was made by this key, if it is there. It stays as long as this process has the store open. */
  async find(key: string): Promise<StepLayer | undefined> {
    const found = await this.#description(key);
    if (!found) return undefined;
    await this.#claims.claim(found.id);
    // Whoever removed it before it was claimed has hidden the description first.
    if ((await this.#description(key))?.id !== found.id) return undefined;
    const layer = this.#layer(found);
    if (layer.folder !== undefined && !isFolder(layer.folder)) return undefined;
    const now = new Date();
    attempt(() => utimesSync(this.#path(key), now, now));
    return layer;
  }

  /** Takes a folder in, by renaming it. It stays with this process, and is found when it is {@link keep | kept}. */
  async take(folder: string | undefined): Promise<StepLayer> {
    const id = builtin("node:crypto").randomBytes(8).toString("hex");
    if (folder === undefined) return { id, folder };
    await this.#claims.claim(id);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    renameSync(folder, join(this.#folder, id));
    return { id, folder: join(this.#folder, id) };
  }

  /** From now on a layer that was taken in is what this key stands for, in place of another one. */
  async keep(key: string, { id, folder }: StepLayer): Promise<void> {
    if (folder === undefined) return this.#describe({ key, id, fingerprint: undefined, bytes: 0 });
    // Whoever finds it has to find all of its content, after a power cut too.
    await this.#unsynced.syncFolder(folder);
    await this.#describe({ key, id, ...inspectLayer(folder) });
  }

  /** Whether a layer that was found is what was kept. */
  async isWhole(key: string, { id, folder }: StepLayer): Promise<boolean> {
    const description = await this.#description(key);
    if (description?.id !== id) return false;
    try {
      return folder === undefined || inspectLayer(folder).fingerprint === description.fingerprint;
    } catch {
      return false;
    }
  }

  /** Takes away one that is damaged. */
  async forget(key: string): Promise<void> {
    const description = await this.#files.setAside(this.#path(key));
    await description.remove();
  }

  async all(): Promise<readonly CachedStep[]> {
    return (await this.#described()).flatMap(({ step }) => (step ? [step] : []));
  }

  /** What is in the cache, and what was left there. */
  async survey(): Promise<StepSurvey> {
    const folders = await this.#files.names(this.#folder, /^[0-9a-f]{16}$/);
    const claimed = new Set((await this.#claims.all()).map(({ layer }) => layer));
    // Behind the claims: a build that has ended by then has described its layers.
    const described = await this.#described();
    const steps = described.flatMap(({ step }) => (step ? [step] : []));
    const known = new Set(steps.map(({ id }) => id));
    const unknown = folders.filter((id) => !known.has(id) && !claimed.has(id));
    const damaged = described.flatMap(({ path, step }) => (step ? [] : [path]));
    return { steps, leftovers: { folders: unknown.map((id) => join(this.#folder, id)), descriptions: damaged } };
  }

  /** What is where descriptions are; without a step where it is none, or damaged. What goes meanwhile is left out. */
  async #described(): Promise<readonly { readonly path: string; readonly step: CachedStep | undefined }[]> {
    const names = await this.#files.names(this.#descriptions, /./);
    const found = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#descriptions, name);
        const description = await this.#files.readJson(path, isDescription);
        const stats = statIfSeen(path);
        // A copy that somebody has made by hand is none of ours.
        if (!stats || (description && !/^[0-9a-f]{32}\.json$/.test(name))) return [];
        const step = description && { key: description.key, id: description.id, bytes: description.bytes, used: stats.mtime };
        return [{ path, step }];
      }),
    );
    return found.flat();
  }

  /** How many layers there are more than descriptions: some of them may be what killed builds have left. */
  async surplus(): Promise<number> {
    const [folders, descriptions] = await Promise.all([
      this.#files.names(this.#folder, /^[0-9a-f]{16}$/),
      this.#files.names(this.#descriptions, /\.json$/),
    ]);
    return folders.length - descriptions.length;
  }

  /**
   * Takes cached steps away, but for those that another process uses, or has found, or made anew, since they were looked at.
   * @param discard takes a folder out of its place
   */
  async removeCached(steps: readonly CachedStep[], discard: (folder: string) => Promise<void>): Promise<readonly CachedStep[]> {
    const hidden = await Promise.all(steps.map(async (step) => ({ step, file: await this.#files.setAside(this.#path(step.key)) })));
    const claimed = new Set((await this.#claims.ofOthers()).map(({ layer }) => layer));
    const gone: CachedStep[] = [];
    for (const { step, file } of hidden) {
      if (claimed.has(step.id) || !(await this.#isStill(step, file.path))) await file.putBack();
      else {
        await discard(join(this.#folder, step.id));
        await file.remove();
        gone.push(step);
      }
    }
    return gone;
  }

  async #isStill(step: CachedStep, path: string): Promise<boolean> {
    const description = await this.#files.readJson(path, isDescription);
    return description?.id === step.id && statIfSeen(path)?.mtime.getTime() === step.used.getTime();
  }

  /** Removes descriptions that were found damaged, unless they are right by now. */
  async removeDamaged(paths: readonly string[]): Promise<void> {
    for (const path of paths) if (!(await this.#files.readJson(path, isDescription))) await removeFile(path);
  }

  #layer({ id, fingerprint: print }: Description): StepLayer {
    return { id, folder: print === undefined ? undefined : join(this.#folder, id) };
  }

  async #description(key: string): Promise<Description | undefined> {
    const description = await this.#files.readJson(this.#path(key), isDescription);
    // The name of the file is only the start of the key.
    return description?.key === key ? description : undefined;
  }

  async #describe(description: Description): Promise<void> {
    await this.#files.writeJson(this.#path(description.key), description);
  }

  #path(key: string): string {
    return join(this.#descriptions, `${key.slice(0, 32)}.json`);
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isDescription(value: unknown): value is Description {
  return (
    isRecord(value) &&
    typeof value.key === "string" &&
    /^[0-9a-f]{64}$/.test(value.key) &&
    typeof value.id === "string" &&
    /^[0-9a-f]{16}$/.test(value.id) &&
    (value.fingerprint === undefined || typeof value.fingerprint === "string") &&
    typeof value.bytes === "number"
  );
}
