import type { Place } from "../base/place.js";

/** The keywords of build scripts. */
export const buildKeywords = ["IMAGE", "PULL", "BOOTSTRAP", "EXEC", "WITH", "COPY", "CAST", "RUN", "SH", "PUSH"] as const;
/** The keywords of setup scripts. */
export const setupKeywords = ["IMAGE", "MACHINE", "EXEC", "WITH", "COPY", "CAST", "RUN", "SH"] as const;

export type Keyword = (typeof buildKeywords)[number] | (typeof setupKeywords)[number];

/** Which of the two kinds of script. */
export type ScriptKind = "build" | "setup";

/** One use of a keyword, just as the script wrote it: nothing checked, nothing done. */
export type Call = { readonly keyword: Keyword; readonly args: readonly unknown[]; readonly at: Place };
