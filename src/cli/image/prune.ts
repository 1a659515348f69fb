import type { CommonOptions } from "../common-options.js";
import type { Subcommand } from "../subcommand.js";

export const prune: Subcommand<CommonOptions & { readonly dryRun?: boolean; readonly cache?: boolean }> = {
  name: "prune",
  summary: "remove what nothing needs any more",
  description: `Removes from the store what no machine, image or running command needs: earlier
versions, layers that BOOTSTRAP has made, what killed commands or a damaged disk
have left, and work folders of builds that were kept a week ago or earlier; and
cached steps of builds beyond build/cache_size and build/cache_age.
Images that have a URL stay: nspawn image remove takes them away. It may run
beside other commands.`,
  examples: `  nspawn prune --dry-run
  sudo nspawn prune`,
  describe: (command) =>
    command
      .option("--dry-run", "print what would be removed, and do nothing; needs no root")
      .option("--cache", "remove all cached steps of builds"),
  deed: async (_, { dryRun, cache = false }) => {
    const { previewPrune, pruneStore } = await import("../../engine/image/prune.js");
    if (!dryRun) return { kind: "work", work: (context) => pruneStore(context, { cache }) };
    return {
      kind: "look",
      look: async (context) => {
        const { wasteData, wasteLines } = await import("./waste-lines.js");
        const waste = await previewPrune(context, { cache });
        return { lines: (paint) => wasteLines(waste, paint), data: wasteData(waste) };
      },
    };
  },
};
