/** Ends the process. Scripts see another `process.exit`, which is an error of theirs: this one is taken before any is loaded. */
export const endProcess: (code?: number) => never = process.exit.bind(process);
