import { secondsSince } from "../../base/events.js";
import type { Argv } from "../../host/host.js";
import { copyIntoRoot } from "../../layer/copy.js";
import type { SetupPlan } from "../../plan/setup-plan.js";
import { describeStep, type HostStep, type StepOf } from "../../plan/step.js";
import { renderCast } from "../cast.js";
import type { SetupContext } from "../context.js";
import { shellCommand } from "../shell.js";
import { stepFailed } from "../step-failed.js";

type StepContext = SetupContext & { readonly folder: string; readonly scratch: string };
type Handlers = { readonly [K in HostStep["kind"]]: (context: StepContext, step: StepOf<K>) => Promise<void> };

/** Does a setup script's COPY, CAST, RUN and SH on the host, in the order written. */
export async function workOnHost(context: SetupContext, plan: SetupPlan): Promise<void> {
  for (const step of plan.work) {
    const started = performance.now();
    const text = describeStep(step, plan.folder);
    context.report({ kind: "step-begin", at: step.at, text });
    try {
      await context.store.whileTemporary((scratch) => workStep({ ...context, folder: plan.folder, scratch }, step));
    } catch (error) {
      throw stepFailed(error, step.at, text);
    }
    context.report({ kind: "step-end", at: step.at, text, seconds: secondsSince(started), cached: false });
  }
}

async function workStep(context: StepContext, step: HostStep): Promise<void> {
  const handle = handlers[step.kind] as (context: StepContext, step: HostStep) => Promise<void>;
  await handle(context, step);
}

const handlers: Handlers = {
  copy: ({ host }, { source, target }) => copyIntoRoot(host, { source, root: "/", target }),
  cast: async ({ host, folder, scratch }, step) =>
    copyIntoRoot(host, { source: await renderCast(host, step, folder, scratch), root: "/", target: step.target }),
  run: (context, { argv }) => runOnHost(context, argv),
  sh: (context, { script }) => runOnHost(context, shellCommand(context.config.build.shellInvoke, script)),
};

async function runOnHost({ host, report, folder }: StepContext, argv: readonly string[]): Promise<void> {
  // env(1) looks the user's program up, and passes on what it ends with.
  const command: Argv = ["env", "--", ...argv];
  const environment = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const onLine = (line: string): void => report({ kind: "output", line });
  await host.run({ argv: command, shown: argv, cwd: folder, env: environment, output: onLine, onLine, mayDetach: true });
}
