import type { Subcommand } from "../subcommand.js";

export const inspect: Subcommand = {
  name: "inspect",
  arguments: "<url|digest>",
  summary: "all that is known of one image",
  description: `Shows all that is known of an image: digests, when its URL was pulled and how a
change of it is noticed, its parents and whether their URLs have moved on since
it was built, its settings and command, its layers, and who uses it.`,
  examples: `  nspawn image inspect https://images.example.org/web.tar.zst
  nspawn image inspect 6c2974976321
  nspawn image inspect file:///srv/images/web.tar.zst --json | jq -r '.chain[].digest'`,
  deed: async ([word = ""]) => ({
    kind: "look",
    look: async (context) => {
      const [{ inspectImage }, { detailLines }] = await Promise.all([import("../../engine/image/inspect.js"), import("./detail-lines.js")]);
      const details = await inspectImage(context, word);
      return { lines: (paint) => detailLines(details, paint), data: details };
    },
  }),
};
