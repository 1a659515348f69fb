import { join } from "node:path";
import { isDigest } from "../../base/digest.js";
import { sha256 } from "../../base/sha256.js";
import { removeFile } from "../../host/files.js";
import type { StoreFiles } from "./files.js";

/** Which layers were made, not pulled: `derived/<hash of a recipe>` holds the digest of the layer that was made by it. */
export class DerivedLayers {
  readonly #folder: string;
  readonly #files: StoreFiles;

  /** @param root folder of the store */
  constructor(root: string, files: StoreFiles) {
    this.#folder = join(root, "derived");
    this.#files = files;
  }

  async find(recipe: string): Promise<string | undefined> {
    return this.#digest(nameOf(recipe));
  }

  async set(recipe: string, digest: string): Promise<void> {
    await this.#files.write(join(this.#folder, nameOf(recipe)), `${digest}\n`);
  }

  /** All of them; one that is damaged has no digest. */
  async all(): Promise<readonly { readonly name: string; readonly digest: string | undefined }[]> {
    const names = await this.#files.names(this.#folder, /^[0-9a-f]{64}$/);
    return Promise.all(names.map(async (name) => ({ name, digest: await this.#digest(name) })));
  }

  async remove(name: string): Promise<void> {
    await removeFile(join(this.#folder, name));
  }

  async #digest(name: string): Promise<string | undefined> {
    const digest = (await this.#files.read(join(this.#folder, name)))?.trim();
    return isDigest(digest) ? digest : undefined;
  }
}

function nameOf(recipe: string): string {
  return sha256(recipe);
}
