#!/usr/bin/env -S node --experimental-vm-modules --disable-warning=ExperimentalWarning
import { Command } from "commander";
import { packageVersion } from "../base/package-version.js";
import type { HatchAction } from "../hatch/plans.js";
import { addCommonOptions, addCompletionOption, type CommonOptions, throwErrors } from "./common-options.js";
import { hatchHelp } from "./help.js";
import { lastTimers } from "./last-timers.js";
import { workAsRoot } from "./root-work.js";
import { scriptOutputToEvents } from "./script-output.js";
import { runCommand, type Start } from "./session.js";

type ActionOptions = CommonOptions & { readonly plan?: boolean; readonly cache?: boolean };

const actions: { readonly [A in HatchAction]: { readonly summary: string; readonly description: string; readonly builds: boolean } } = {
  ensure: {
    summary: "build and start a service if it is not there; else leave it as it is",
    description: "Builds the service's image and starts its machine, if that is not on this host; else only sees that it runs.",
    builds: true,
  },
  desure: {
    summary: "stop a service and take its machine away; its data stay",
    description: "Stops the service and removes its machine. Its data, logins and logs stay, and it says where they are.",
    builds: false,
  },
  update: {
    summary: "bring a service to what its scripts and the configuration say",
    description: "Builds the service's image, and brings its machine to it and to what the scripts and the configuration say.",
    builds: true,
  },
};

void runCommand(async (start) => {
  const program = throwErrors(new Command("nspawn-hatch"), start.early)
    .description(hatchHelp.description)
    .helpOption("--help", "print this help")
    .helpCommand(false)
    .version(packageVersion(), "--version", "print the version")
    .addHelpText("after", hatchHelp.after);
  addCompletionOption(program);
  addCommonOptions(program.command("list"))
    .summary("the services that come with nspawn, and how they are")
    .description("Lists the services that come with nspawn: what they do, and whether they run on this host.")
    .action((options: CommonOptions) => list(options, start));
  for (const [action, { summary, description, builds }] of Object.entries(actions)) {
    const command = program.command(action).argument("<service>").summary(summary).description(description);
    command.option("--plan", "print what would be done, and do nothing; needs no root");
    if (builds) command.option("--no-cache", "build from nothing, with the distribution's packages of today");
    addCommonOptions(command).action((service: string, options: ActionOptions) => act(action as HatchAction, service, options, start));
  }
  await program.parseAsync();
});

async function list(options: CommonOptions, { begin }: Start): Promise<void> {
  const { config, output } = await begin({ ...options, live: false });
  const [{ LocalHost }, { listServices }, { serviceTable }, { show }] = await Promise.all([
    import("../host/local.js"),
    import("../hatch/list.js"),
    import("./hatch/list.js"),
    import("./show.js"),
  ]);
  const rows = await listServices({ host: new LocalHost(), config, report: output.report });
  show({ lines: (paint, columns) => serviceTable(rows, paint, columns), data: rows }, options);
}

async function act(action: HatchAction, word: string, options: ActionOptions, { begin, late }: Start): Promise<void> {
  const { config, output } = await begin({ ...options, live: options.plan !== true });
  if (options.json) scriptOutputToEvents(output.report);
  // All of them before the scripts run: should one import a package, modules take longer to load from then on, by the thread of Node's module hooks.
  const [{ findService }, { loadService, planService }, { actOnService }, { shownServicePlans }, { LocalHost }, { lateError }, version] =
    await Promise.all([
      import("../hatch/services.js"),
      import("../hatch/plans.js"),
      import("../hatch/act.js"),
      import("./hatch/plan.js"),
      import("../host/local.js"),
      import("../script/load.js"),
      import("../host/systemd-version.js"),
    ]);
  const host = new LocalHost();
  const scripts = await loadService(findService(word), action, config);
  late.explain = (error) => lateError(error, scripts.setup);
  await lastTimers();
  const plans = planService(scripts, action === "desure" ? undefined : await version.systemdVersion(host));
  if (!options.plan) {
    const surroundings = { name: `nspawn-hatch ${action}`, rightsHint: "list, --plan and --help", output, config, late };
    await workAsRoot((context) => actOnService(context, plans, action, { cache: options.cache ?? true }), surroundings);
    return output.done();
  }
  const shown = await shownServicePlans({ host, config, report: output.report }, plans, action);
  for (const plan of shown) output.plan(plan);
  const refusal = shown.find((plan) => plan.refusal)?.refusal;
  if (refusal) throw refusal;
  output.done();
}
