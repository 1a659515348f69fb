import type { Place } from "../base/place.js";

/** The keywords of both kinds of script. */
export type Keyword = "IMAGE" | "PULL" | "BOOTSTRAP" | "MACHINE" | "EXEC" | "WITH" | "FETCH" | "COPY" | "CAST" | "RUN" | "SH" | "PUSH";

/** Which of the two kinds of script. */
export type ScriptKind = "build" | "setup";

/** One use of a keyword, just as the script wrote it: nothing checked, nothing done. */
export type Call = { readonly keyword: Keyword; readonly args: readonly unknown[]; readonly at: Place };
