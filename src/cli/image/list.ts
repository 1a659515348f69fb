import type { Subcommand } from "../subcommand.js";

export const list: Subcommand = {
  name: "list",
  summary: "what the store has",
  description: `Lists the images of the store: the size of the archive and of what it extracts
to, how long ago its URL was last pulled, how many layers it stands on with
itself, and the machines that use it. Earlier versions that are still there
follow, and layers that BOOTSTRAP has made.`,
  examples: `  nspawn image list
  nspawn image list --json | jq -r '.[] | select(.machines == []) | .url'`,
  deed: async () => ({
    kind: "look",
    look: async (context) => {
      const [{ listImages }, { imageTable }] = await Promise.all([import("../../engine/image/list.js"), import("./image-table.js")]);
      const rows = await listImages(context);
      return { lines: (paint, columns) => imageTable(rows, paint, columns, new Date()), data: rows };
    },
  }),
};
