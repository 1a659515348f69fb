import type { Subcommand } from "../subcommand.js";

export const pull: Subcommand = {
  name: "pull",
  arguments: "<url...>",
  summary: "bring images and their ancestors into the store",
  description: `Brings images into the store, with all of their ancestors, several at once. An
image whose URL still has what the store has costs one question. Machines stay
on the version that they have until they are set up again.`,
  examples: `  sudo nspawn image pull https://images.example.org/web.tar.zst
  sudo nspawn image pull file:///srv/images/{web,db}.tar.zst --json`,
  deed: async (urls) => ({
    kind: "work",
    work: async (context) => (await import("../../engine/image/pull.js")).pullImages(context, urls),
  }),
};
