/** What templates were rendered to, by a digest of all that they were made of. */
export type Renderings = {
  /** Digest of the text that came of it, undefined if that is not known. */
  find(key: string): string | undefined;
  note(key: string, digest: string): void;
};

/** Nothing is known of any, and nothing is kept. */
export const noRenderings: Renderings = { find: () => undefined, note: () => undefined };
