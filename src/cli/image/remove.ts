import type { Subcommand } from "../subcommand.js";

export const remove: Subcommand = {
  name: "remove",
  arguments: "<url|digest...>",
  summary: "forget images, and remove their layers",
  description: `Forgets images, and removes their layers, those of earlier versions too. What a
machine, another image or a running command uses is refused; then nothing is
removed. Images that stand on each other can go together. Their parents stay. With
a digest, earlier versions of the same URL stay if one of them is in use.`,
  examples: `  sudo nspawn image remove https://images.example.org/web.tar.zst
  sudo nspawn image remove 6c2974976321`,
  deed: async (words) => ({
    kind: "work",
    work: async (context) => (await import("../../engine/image/remove.js")).removeImages(context, words),
  }),
};
