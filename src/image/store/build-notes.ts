import { join } from "node:path";
import { isDigest } from "../../base/digest.js";
import { isRecord } from "../../base/is-record.js";
import type { Validators } from "../../transport/transport.js";
import { DigestNotes } from "./digest-notes.js";
import type { StoreFiles } from "./files.js";
import { UrlNotes } from "./url-notes.js";

/**
 * What a step was made from: names for people with values, or digests of them. `parts` are in the step's key; `causes` are not: they say
 * better why a part is another, such as a variable of a template.
 */
export type StepInputs = {
  readonly kind: string;
  /** The step in words, to be recognized by. */
  readonly text: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly causes: Readonly<Record<string, string>>;
};

/** A step of a build that was done: its key, and what lay below. */
export type BuiltStep = StepInputs & { readonly key: string };

/** The last build of an image: `base` has the digests of its ancestors by their URLs, and of its BOOTSTRAP. */
export type BuildNote = { readonly base: Readonly<Record<string, string>>; readonly steps: readonly BuiltStep[] };

/** What was published at a URL: by which key it was made, and how the URL is seen to have it still. */
export type PushNote = { readonly key: string; readonly digest: string; readonly bytes: number; readonly validators: Validators };

/** What an archive of FETCH was when it was downloaded. */
export type FetchNote = { readonly digest: string; readonly validators: Validators };

/** What commands note for later ones, closed to other users: digests of values may tell them. `note/<kind>/`, a file for each URL, template or unit. */
export class BuildNotes {
  readonly builds: UrlNotes<BuildNote>;
  readonly pushes: UrlNotes<PushNote>;
  readonly fetches: UrlNotes<FetchNote>;
  /** What templates of CAST were rendered to. */
  readonly renders: DigestNotes;
  /** What the units of machines were rendered from. */
  readonly units: DigestNotes;

  /** @param folder a folder of their own */
  constructor(folder: string, files: StoreFiles) {
    this.builds = new UrlNotes(
      join(folder, "build"),
      files,
      ({ base, steps }) => isTexts(base) && Array.isArray(steps) && steps.every(isStep),
    );
    this.pushes = new UrlNotes(
      join(folder, "push"),
      files,
      ({ key, digest, bytes, validators }) =>
        typeof key === "string" && isDigest(digest) && typeof bytes === "number" && isTexts(validators),
    );
    this.fetches = new UrlNotes(join(folder, "fetch"), files, ({ digest, validators }) => isDigest(digest) && isTexts(validators));
    this.renders = new DigestNotes(join(folder, "render"), files);
    this.units = new DigestNotes(join(folder, "unit"), files);
  }

  /** All kinds of notes. */
  get kinds(): readonly Pick<UrlNotes<object>, "olderThan" | "remove">[] {
    return [this.builds, this.pushes, this.fetches, this.renders, this.units];
  }
}

function isStep(value: unknown): value is BuiltStep {
  return (
    isRecord(value) &&
    typeof value.kind === "string" &&
    typeof value.text === "string" &&
    typeof value.key === "string" &&
    isTexts(value.parts) &&
    isTexts(value.causes)
  );
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === "string");
}
