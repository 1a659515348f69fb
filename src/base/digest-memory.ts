/** Digests that are remembered by keys, which are digests of what they came of. It only saves work: what is not known is made anew. */
export type DigestMemory = {
  find(key: string): string | undefined;
  note(key: string, digest: string): void;
};

/** Nothing is known, and nothing is kept. */
export const noMemory: DigestMemory = { find: () => undefined, note: () => undefined };
