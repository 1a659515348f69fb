#!/usr/bin/env node
import { buildHelp } from "./help.js";
import { runScriptCommand, type ScriptOptions } from "./script-command.js";

type BuildOptions = ScriptOptions & { readonly cache: boolean };

await runScriptCommand<BuildOptions>({
  kind: "build",
  help: buildHelp,
  describe: (command) => command.option("--no-cache", "make a BOOTSTRAP layer anew"),
  plan: async (script) => {
    const { planBuild } = await import("../plan/build-plan.js");
    const plan = planBuild(script);
    const [{ previewBuild }, { shownBuildPlan }] = await Promise.all([
      import("../engine/preview/build.js"),
      import("./plan/build-plan.js"),
    ]);
    return async (context) => shownBuildPlan(await previewBuild(context, plan));
  },
  work: async (script, { cache }) => {
    const { planBuild } = await import("../plan/build-plan.js");
    const plan = planBuild(script);
    const { buildImage } = await import("../engine/build/build.js");
    return (context) => buildImage(context, plan, { cache });
  },
});
