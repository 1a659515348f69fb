#!/usr/bin/env node
import { type CommonOptions, runScriptCommand } from "./script-command.js";

type BuildOptions = CommonOptions & { readonly cache: boolean };

await runScriptCommand<BuildOptions>({
  kind: "build",
  describe: (command) =>
    command
      .description("Builds the image that a script declares, and publishes it to its URL.")
      .option("--no-cache", "make a BOOTSTRAP layer anew")
      .addHelpText(
        "after",
        "\nExample:\n  nspawn-build web/build.ts\n  ./web/build.ts --plan\n\nExit codes: 0 done, 1 the work failed, 2 the script or the call is wrong, 130 interrupted.",
      ),
  plan: async (script) => {
    const [{ planBuild }, { showBuildPlan }] = await Promise.all([import("../plan/build-plan.js"), import("../plan/show.js")]);
    return showBuildPlan(planBuild(script));
  },
  work: async (script, { cache }) => {
    const { planBuild } = await import("../plan/build-plan.js");
    const plan = planBuild(script);
    const { buildImage } = await import("../engine/build/build.js");
    return (context) => buildImage(context, plan, { cache });
  },
});
