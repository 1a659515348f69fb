import type { EngineContext } from "../../engine/context.js";
import { previewBuild } from "../../engine/preview/build.js";
import { previewSetup } from "../../engine/preview/setup.js";
import type { HatchAction, ServicePlans } from "../../hatch/plans.js";
import { shownBuildPlan } from "../plan/build-plan.js";
import type { ShownPlan } from "../plan/plan.js";
import { shownSetupPlan } from "../plan/setup-plan.js";

/** What an action would do with a service: a plan for each script that would do something. */
export async function shownServicePlans(
  context: EngineContext,
  { build, setup }: ServicePlans,
  action: HatchAction,
): Promise<readonly ShownPlan[]> {
  const preview = await previewSetup(context, setup, action);
  // A machine that is there is left as it is by `ensure`, and needs no image.
  if (!build || (action === "ensure" && preview.exists)) return [shownSetupPlan(preview)];
  const shown = shownBuildPlan(await previewBuild(context, build));
  const shownSetup = shownSetupPlan(preview);
  const isBuiltFirst = build.push && build.image.url === setup.image.url && preview.made?.images.some(({ known }) => !known) === true;
  // That the image is not there yet is no reason to refuse: it is what the first plan makes.
  return [shown, isBuiltFirst ? { ...shownSetup, refusal: undefined } : shownSetup];
}
