import { oneLine, shellQuote } from "../base/shell-quote.js";
import type { BuildPlan } from "./build-plan.js";
import type { SetupPlan } from "./setup-plan.js";
import { describeStep } from "./step.js";

/** A build plan for people. */
export function showBuildPlan(plan: BuildPlan): string {
  const { bootstrap } = plan;
  return [
    `build ${plan.image.written}`,
    ...plan.parents.map(({ image, digest }) => `  pull  ${image.written}${digest === undefined ? "" : ` ${digest}`}`),
    ...(bootstrap
      ? [
          `  make  ${bootstrap.spec.distribution} ${bootstrap.spec.release}: ${(bootstrap.spec.packages ?? []).join(" ") || "no further packages"}`,
        ]
      : []),
    ...work(plan),
    ...settings(plan),
    ...(plan.push ? [`  push  ${plan.image.written}`] : ["  no PUSH: the image is not published"]),
  ].join("\n");
}

/** A setup plan for people. */
export function showSetupPlan(plan: SetupPlan): string {
  return [
    `setup machine ${plan.machine.name}`,
    `  image ${plan.image.written}`,
    `  root  ${plan.machine.state === "keep" ? "kept until the next update" : "volatile: cleared at each stop"}`,
    ...work(plan),
    ...settings(plan),
  ].join("\n");
}

function work({ work, folder }: Pick<BuildPlan, "work" | "folder">): readonly string[] {
  return work.map((step) => `  work  ${describeStep(step, folder)}`);
}

function settings({ settings, command }: Pick<BuildPlan, "settings" | "command">): readonly string[] {
  return [
    ...settings.removed.map((name) => `  with  ${name} removed`),
    ...settings.entries.map(({ name, value }) => `  with  ${name}=${oneLine(value)}`),
    ...(command ? [`  exec  ${oneLine(shellQuote(command))}`] : []),
  ];
}
