import { NspawnError } from "../base/errors.js";
import { shorten } from "../base/shorten.js";
import { type Ancestor, inheritSettings } from "../image/inherit.js";
import type { SetupPlan } from "../plan/setup-plan.js";
import { contradictions } from "../settings/contradiction.js";
import type { Setting } from "../settings/merge.js";
import { ungranted } from "../settings/trust.js";
import { tooNew, tooNewError } from "../settings/version.js";
import { unfitArgument, unitArgument } from "./quote.js";

/** What counts besides script and images. */
export type SettleOptions = {
  /** Beginnings of URLs of images whose settings need no grant. */
  readonly trustList: readonly string[];
  /** Version of the host's systemd, undefined if it is not known. */
  readonly systemd: number | undefined;
};

/** Why a machine cannot be as it is asked for. */
type Refusal = { readonly message: string; readonly hint?: string | undefined };

/** The settings and the command of a machine, each with its origin; a machine with refusals is not set up. */
export type Settled = {
  readonly settings: readonly Setting[];
  readonly command: { readonly argv: readonly string[]; readonly origin: string } | undefined;
  readonly refusals: readonly Refusal[];
};

/**
 * Settles what a setup script and its image's ancestors say of a machine: nearest wins, lists add up, `null` removes.
 * @param chain top image first
 */
export function settle(plan: SetupPlan, chain: readonly Ancestor[], options: SettleOptions): Settled {
  const settings = inheritSettings(chain, plan.settings);
  const boot = settings.find(({ name, value }) => name === "Boot" && value === "yes");
  const command = commandOf(plan, chain, boot);
  const refusals = [
    ...commandOfBoot(plan, boot),
    ...contradictions(settings, true, options.systemd),
    ...beyondHost(settings, options.systemd),
    ...beyondUnit(settings, command),
    ...withoutGrant(plan, chain, settings, options.trustList),
  ];
  return { settings, command, refusals };
}

/** All refusals of a machine as one error, undefined if there are none. */
export function refusalError({ refusals }: Settled): NspawnError | undefined {
  if (refusals.length === 0) return undefined;
  const hints = refusals.flatMap(({ hint }) => hint ?? []);
  return new NspawnError(refusals.map(({ message }) => message).join("\n"), { hint: hints.length > 0 ? hints.join("\n") : undefined });
}

/**
 * EXEC: the nearest wins, the script itself before the image, the image before its parents. The same goes for Boot against EXEC: an
 * image that boots is not given the command of one below it as arguments of init.
 */
function commandOf(plan: SetupPlan, chain: readonly Ancestor[], boot: Setting | undefined): Settled["command"] {
  if (plan.command) return { argv: plan.command, origin: plan.script };
  const image = chain.find(({ meta }) => meta.command !== undefined);
  if (!image?.meta.command) return undefined;
  const distance = (origin: string): number => chain.findIndex((other) => other.image.written === origin);
  if (boot && distance(boot.origin) < distance(image.image.written)) return undefined;
  return { argv: image.meta.command, origin: image.image.written };
}

function beyondHost(settings: readonly Setting[], systemd: number | undefined): readonly Refusal[] {
  const newer = systemd === undefined ? [] : tooNew(settings, systemd);
  return systemd === undefined || newer.length === 0 ? [] : [tooNewError(newer, systemd)];
}

/** Bytes of a command line in a unit, with room for what is ours: systemd takes one mebibyte (LONG_LINE_MAX in its basic/fileio.h). */
const longestCommand = 1_000_000;

/** What no unit can hold, with where it comes from. */
function beyondUnit(settings: readonly Setting[], command: Settled["command"]): readonly Refusal[] {
  const parts = [
    ...settings.map(({ name, value, origin }) => ({ name, value, origin })),
    ...(command ? command.argv.map((value) => ({ name: "the command", value, origin: command.origin })) : []),
  ];
  const unfit = parts.flatMap(({ name, value, origin }) => {
    const why = unfitArgument(value);
    return why === undefined ? [] : [{ message: `${name} of ${origin}: ${why}: ${shorten(value)}` }];
  });
  if (unfit.length > 0) return unfit;
  const bytes = parts.reduce((sum, { name, value }) => sum + name.length + Buffer.byteLength(unitArgument(value)), 0);
  return bytes > longestCommand ? [{ message: `settings and command have ${bytes} bytes, more than a unit can hold` }] : [];
}

function commandOfBoot(plan: SetupPlan, boot: Setting | undefined): readonly Refusal[] {
  if (!plan.command || !boot) return [];
  return [
    {
      message: `EXEC of ${plan.script} would become arguments of init: ${boot.origin} sets Boot`,
      hint: "WITH({ Boot: null }) runs the command instead; arguments of init go into Parameters",
    },
  ];
}

/** Images from elsewhere may suggest what opens the host to the machine, but the script has to agree. */
function withoutGrant(
  plan: SetupPlan,
  chain: readonly Ancestor[],
  settings: readonly Setting[],
  trustList: readonly string[],
): readonly Refusal[] {
  const trusted = new Set(chain.flatMap(({ image }) => (trustList.some((start) => image.url.startsWith(start)) ? [image.written] : [])));
  const refused = ungranted(settings, {
    script: plan.script,
    repeated: plan.settings.entries,
    names: plan.grant,
    trusts: (origin) => trusted.has(origin),
  });
  if (refused.length === 0) return [];
  const list = refused.map(({ name, value, origin }) => `  ${name}=${shorten(value)}  from ${origin}`).join("\n");
  const names = [...new Set(refused.map(({ name }) => JSON.stringify(name)))].join(", ");
  return [
    {
      message: `the image sets what opens this host to the machine:\n${list}`,
      hint: `if that is meant: IMAGE(${JSON.stringify(plan.image.written)}, { grant: [${names}] }), or give these settings in WITH`,
    },
  ];
}
