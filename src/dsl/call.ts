import type { Place } from "../base/place.js";

/** The keywords of either kind of script. */
export const keywords = {
  build: ["IMAGE", "PULL", "BOOTSTRAP", "EXEC", "WITH", "FETCH", "COPY", "CAST", "RUN", "SH", "PUSH"],
  setup: ["IMAGE", "MACHINE", "EXEC", "WITH", "COPY", "CAST", "RUN", "SH"],
} as const;

/** Which of the two kinds of script. */
export type ScriptKind = keyof typeof keywords;

export type Keyword = (typeof keywords)[ScriptKind][number];

/** One use of a keyword, just as the script wrote it: nothing checked, nothing done. */
export type Call = { readonly keyword: Keyword; readonly args: readonly unknown[]; readonly at: Place };
