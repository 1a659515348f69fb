import type { CommonOptions } from "../common-options.js";
import type { Subcommand } from "../subcommand.js";

export const graph: Subcommand<CommonOptions & { readonly svg?: string }> = {
  name: "graph",
  arguments: "[url|digest...]",
  summary: "which image stands on which",
  description: `Draws the inheritance of images as a tree: below each image its parents, the
last PULL, which lies on top, first. What several images share is drawn out
once. An image stands on the version of a parent that it was built on; URLs of
parents are asked whether they have a newer one.`,
  examples: `  nspawn image graph
  nspawn image graph https://images.example.org/web.tar.zst
  nspawn image graph --svg images.svg`,
  describe: (command) => command.option("--svg <file>", "write a drawing to this file instead"),
  deed: async (words, { svg }) => ({
    kind: "look",
    look: async (context) => {
      const { graphImages } = await import("../../engine/image/graph.js");
      const found = await graphImages(context, words);
      const data = { roots: found.roots, nodes: [...found.nodes.values()] };
      if (svg === undefined) {
        const { treeLines } = await import("./tree-lines.js");
        return { lines: (paint) => treeLines(found, paint), data };
      }
      const [{ graphSvg }, { writeFile }] = await Promise.all([import("./graph-svg.js"), import("node:fs/promises")]);
      await writeFile(svg, graphSvg(found));
      return { lines: () => [`${found.nodes.size} images drawn to ${svg}`], data };
    },
  }),
};
