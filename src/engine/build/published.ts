import { NspawnError } from "../../base/errors.js";
import type { PushNote } from "../../image/store/build-notes.js";
import type { ImageStore } from "../../image/store.js";
import type { ImageRef } from "../../plan/image-ref.js";
import { sha256Of } from "../../transport/freshness.js";
import { sameContent, type Transport, type Upload, type Validators } from "../../transport/transport.js";

/** What this host last published at a URL. */
export class Published {
  readonly #store: ImageStore;
  readonly #transport: Transport;
  readonly #image: ImageRef;

  constructor(store: ImageStore, transport: Transport, image: ImageRef) {
    this.#store = store;
    this.#transport = transport;
    this.#image = image;
  }

  /** What was published, if the URL has it still; undefined too if that cannot be told: then it is published again. */
  async now(): Promise<PushNote | undefined> {
    const note = await this.#store.notes.pushes.find(this.#image.url);
    if (!note) return undefined;
    const now = await this.#probe();
    return now && sameContent(now, note.validators) ? note : undefined;
  }

  /** Notes what was published just now. Where somebody else has published something in that very moment, there is nothing to note. */
  async note(key: string, { digest, bytes }: Upload): Promise<void> {
    const validators = await this.#probe();
    const named = validators && sha256Of(validators);
    if (!validators || (named !== undefined && named !== digest)) return;
    await this.#store.notes.pushes.set({ url: this.#image.url, key, digest, bytes, validators });
  }

  async touch(): Promise<void> {
    await this.#store.notes.pushes.touch(this.#image.url);
  }

  /** What is wrong with the URL is told by the push itself. */
  async #probe(): Promise<Validators | undefined> {
    try {
      return await this.#transport.probe(this.#image, { once: true });
    } catch (error) {
      if (error instanceof NspawnError && error.exitCode === 1) return undefined;
      throw error;
    }
  }
}
