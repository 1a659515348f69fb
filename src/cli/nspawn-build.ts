#!/usr/bin/env -S node --experimental-vm-modules --disable-warning=ExperimentalWarning
import { buildHelp } from "./help.js";
import { runScriptCommand, type ScriptOptions } from "./script-command.js";

type BuildOptions = ScriptOptions & { readonly cache: boolean; readonly force?: boolean; readonly keepFailed?: boolean };

/** Others are told what is wrong with the script, and only then that they may not build. */
const isRoot = (): boolean => process.getuid?.() === 0;

void runScriptCommand<BuildOptions>({
  kind: "build",
  help: buildHelp,
  describe: (command) =>
    command
      .option("--no-cache", "do all steps and a BOOTSTRAP again, whatever is cached")
      .option("--keep-failed", "keep the root that a failed step leaves, and say how to look at it")
      .option("--force", "publish the image even if its URL has this very one"),
  plan: async () => {
    const [{ planBuild }, { previewBuild }, { shownBuildPlan }] = await Promise.all([
      import("../plan/build-plan.js"),
      import("../engine/preview/build.js"),
      import("./plan/build-plan.js"),
    ]);
    return async (script) => {
      const plan = planBuild(script, { casts: "later" });
      return async (context) => shownBuildPlan(await previewBuild(context, plan));
    };
  },
  work: async (options) => {
    const [{ planBuild }, { buildImage }] = await Promise.all([import("../plan/build-plan.js"), import("../engine/build/build.js")]);
    return async (script) => {
      const plan = planBuild(script, { casts: isRoot() ? "later" : "now" });
      return (context) => buildImage(context, plan, options);
    };
  },
});
