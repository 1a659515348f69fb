import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { atMost } from "../../base/at-most.js";
import { InterruptedError } from "../../base/errors.js";
import { clearFolder } from "../../host/clear-folder.js";
import { needingRoom } from "../../host/disk-room.js";
import { checkDigest } from "../../image/check-digest.js";
import { downloadArchive, startingAnew } from "../../image/download.js";
import { type Extracted, extractArchive } from "../../packer/extract.js";
import type { StepOf } from "../../plan/step.js";
import { sameContent } from "../../transport/transport.js";
import type { SetupContext } from "../context.js";

type Fetch = StepOf<"fetch">;

/** An archive that was downloaded and extracted. `folder`: what is in it, for its step alone. */
export type Fetched = { readonly folder: string; readonly digest: string };

/** The downloads of a build's FETCHes: as few as possible, side by side, each of them once. */
export class Fetches {
  readonly #context: SetupContext;
  readonly #scratch: string;
  readonly #downloads = new Map<Fetch, Promise<Fetched>>();
  readonly #digests = new Map<Fetch, Promise<string>>();
  readonly #end = new AbortController();
  readonly #extracting = new Set<Promise<unknown>>();
  readonly #inTurn = atMost(8);

  /** @param scratch a folder of the build */
  constructor(context: SetupContext, scratch: string) {
    this.#context = context;
    this.#scratch = scratch;
  }

  /**
   * The digest of what the step gets: the one that the script says, or the one of last time, if the server says that nothing has changed;
   * otherwise the archive has to be downloaded.
   */
  digest(step: Fetch): Promise<string> {
    const known = this.#digests.get(step) ?? this.#findDigest(step);
    this.#digests.set(step, known);
    return known;
  }

  /** Begins to download what these steps get, if that is not under way. */
  begin(steps: readonly Fetch[]): void {
    // Who needs it will see why it failed.
    for (const step of steps) this.get(step).catch(() => undefined);
  }

  /** What the step gets. @throws TransferError; NspawnError if it is no archive, or has another digest */
  get(step: Fetch): Promise<Fetched> {
    const begun = this.#downloads.get(step) ?? this.#inTurn(() => this.#download(step));
    this.#downloads.set(step, begun);
    return begun;
  }

  /** Gives up what is still under way, so that nothing is written any more. */
  async end(): Promise<void> {
    this.#end.abort(new InterruptedError());
    await Promise.allSettled(this.#extracting);
  }

  async #findDigest(step: Fetch): Promise<string> {
    if (step.digest !== undefined) return step.digest;
    const { store, transports } = this.#context;
    const note = await store.notes.fetches.find(step.archive.url);
    if (note) {
      const transport = await transports.for(step.archive);
      const now = await transport.probe(step.archive);
      if (sameContent(now, note.validators)) {
        await store.notes.fetches.touch(step.archive.url);
        return note.digest;
      }
    }
    return (await this.get(step)).digest;
  }

  async #download(step: Fetch): Promise<Fetched> {
    const { host, report, transports, store } = this.#context;
    const { archive } = step;
    const folder = join(this.#scratch, `fetch-${this.#downloads.size}`);
    const transport = await transports.for(archive);
    const interrupted = AbortSignal.any([host.interrupted, this.#end.signal]);
    const { digest, validators } = await startingAnew(report, async () => {
      await clearFolder(host, folder);
      await mkdir(folder, { recursive: true, mode: 0o755 });
      return downloadArchive({ host: { interrupted }, report }, transport, archive, (body, announced) =>
        this.#noting(this.#extract(step, body, announced, folder)),
      );
    });
    checkDigest(archive, digest, step.digest);
    report({ kind: "detail", text: `${archive.written} has the digest ${digest}` });
    await store.notes.fetches.set({ url: archive.url, digest, validators });
    // What came counts, whatever it was before.
    this.#digests.set(step, Promise.resolve(digest));
    return { folder, digest };
  }

  #extract(step: Fetch, body: Parameters<typeof extractArchive>[1], announced: number | undefined, folder: string): Promise<Extracted> {
    const { host, config } = this.#context;
    return needingRoom(config.storage.tempdir, () =>
      extractArchive(host, body, step.archive.written, folder, { layer: false, devices: "all", limits: config.storage, announced }),
    );
  }

  #noting<T>(work: Promise<T>): Promise<T> {
    this.#extracting.add(work);
    return work;
  }
}
