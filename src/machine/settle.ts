import { type Problem, ProblemsError, ScriptError } from "../base/errors.js";
import type { Place } from "../base/place.js";
import { shorten } from "../base/shorten.js";
import { type Ancestor, inheritSettings } from "../image/inherit.js";
import { contradictionProblem, versionProblems } from "../plan/setting-problems.js";
import type { SetupPlan } from "../plan/setup-plan.js";
import { type Contradiction, contradictions } from "../settings/contradiction.js";
import { originOf, type Setting } from "../settings/merge.js";
import { ungranted } from "../settings/trust.js";
import { tooNew } from "../settings/version.js";
import { unknownDeviceFolders } from "./devices.js";
import { unfitArgument, unitArgument } from "./quote.js";

/** What counts besides script and images. */
export type SettleOptions = {
  /** Beginnings of URLs of images whose settings need no grant. */
  readonly trustList: readonly string[];
  /** Version of the host's systemd, undefined if it is not known. */
  readonly systemd: number | undefined;
  /** Whether all of the images are known, as they are by default: only then something can be lacking. */
  readonly complete?: boolean;
};

/** The settings and the command of a machine, each with its origin; one with problems or refusals is not set up. */
export type Settled = {
  readonly settings: readonly Setting[];
  readonly command: SettledCommand | undefined;
  /** What the script's own settings make wrong, whatever its images say. */
  readonly problems: readonly Problem[];
  /** What images, or script and images together, make wrong: at the line of the script that it is about. */
  readonly refusals: readonly Problem[];
  readonly warnings: readonly string[];
  /** As in {@link SettleOptions}. */
  readonly systemd: number | undefined;
};

/** `at`: the line of the script, if it is the script's. */
type SettledCommand = { readonly argv: readonly string[]; readonly origin: string; readonly at?: Place | undefined };

/**
 * Settles what a setup script and its image's ancestors say of a machine: nearest wins, lists add up, `null` removes.
 * @param chain top image first
 */
export function settle(plan: SetupPlan, chain: readonly Ancestor[], options: SettleOptions): Settled {
  const { systemd, complete = true } = options;
  const settings = inheritSettings(chain, plan.settings);
  const boot = settings.find(({ name, value }) => name === "Boot" && value === "yes");
  const command = commandOf(plan, chain, boot);
  const parts = partsOf(settings, command);
  const isOwn = ({ at }: Pick<Part, "at">): boolean => at !== undefined;
  const clashes = contradictions(settings, complete, systemd);
  const refusals = [
    ...commandOfBoot(plan, boot),
    ...keptEphemeral(
      plan,
      settings.filter((setting) => !isOwn(setting)),
    ),
    ...clashes.filter((clash) => !clash.settings.every(isOwn)).map((clash) => refuseClash(plan, clash)),
    ...beyondHost(
      plan,
      settings.filter((setting) => !isOwn(setting)),
      systemd,
    ),
    ...unfitParts(
      plan,
      parts.filter((part) => !isOwn(part)),
    ),
    ...tooLong(plan, parts),
    ...withoutGrant(plan, chain, settings, options.trustList),
  ];
  const problems = [
    ...clashes.filter((clash) => clash.settings.every(isOwn)).flatMap(contradictionProblem),
    ...(systemd === undefined ? [] : versionProblems(settings.filter(isOwn), systemd)),
    ...unfitParts(plan, parts.filter(isOwn)),
    ...keptEphemeral(plan, settings.filter(isOwn)),
  ];
  const warnings = [...(complete ? idleWarning(plan, settings, boot, command) : []), ...deviceWarnings(settings)];
  return { settings, command, problems, refusals, warnings, systemd };
}

/** All that speaks against a machine as one error, undefined if nothing does: a ScriptError, if any of it is the script's own. */
export function refusalError({ problems, refusals }: Pick<Settled, "problems" | "refusals">): ProblemsError | undefined {
  const all = [...problems, ...refusals];
  if (all.length === 0) return undefined;
  return problems.length > 0 ? new ScriptError(all) : new ProblemsError(all);
}

/**
 * EXEC: the nearest wins, the script itself before the image, the image before its parents. The same goes for Boot against EXEC: an
 * image that boots is not given the command of one below it as arguments of init.
 */
function commandOf(plan: SetupPlan, chain: readonly Ancestor[], boot: Setting | undefined): Settled["command"] {
  if (plan.command) return { argv: plan.command, origin: plan.script, at: plan.lines.exec };
  const image = chain.find(({ meta }) => meta.command !== undefined);
  if (!image?.meta.command) return undefined;
  const distance = (origin: string): number => chain.findIndex((other) => other.image.written === origin);
  if (boot && distance(boot.origin) < distance(image.image.written)) return undefined;
  return { argv: image.meta.command, origin: image.image.written };
}

/** What an image's settings contradict, with the way out of it. */
function refuseClash(plan: SetupPlan, { settings, message, hint }: Contradiction): Problem {
  const own = settings.findLast(({ at }) => at !== undefined);
  const inherited = settings.filter(({ at }) => at === undefined);
  const origins = inherited.map(({ name, origin }) => `\n  ${name}  from ${origin}`).join("");
  const ways = [
    ...(own ? [`delete ${own.name}`] : []),
    ...inherited.map(({ name }) => `WITH({ ${name}: null }) takes away what was inherited`),
  ];
  return { at: own?.at ?? plan.lines.image, near: own?.name, message: `${message}:${origins}`, hint: hint ?? ways.join(", or ") };
}

/** What images set that the host's systemd is too old for. */
function beyondHost({ lines }: SetupPlan, inherited: readonly Setting[], systemd: number | undefined): readonly Problem[] {
  if (systemd === undefined) return [];
  return tooNew(inherited, systemd).map(({ setting: { name, origin }, message }) => ({
    at: lines.image,
    message: `${message}:\n  ${name}  from ${origin}`,
    hint: `do without: WITH({ ${name}: null })`,
  }));
}

/** A machine that nobody has said anything to run in: what systemd-nspawn does then is hardly meant. */
function idleWarning(
  { machine }: SetupPlan,
  settings: readonly Setting[],
  boot: Setting | undefined,
  command: Settled["command"],
): readonly string[] {
  if (boot || command || settings.some(({ name }) => name === "Parameters")) return [];
  return [
    `nothing says what the machine ${machine.name} runs: systemd-nspawn starts a shell without a terminal, which ends at once; say EXEC([program, …]), or WITH({ Boot: true })`,
  ];
}

/** Bytes of a command line in a unit, with room for what is ours: systemd takes one mebibyte (LONG_LINE_MAX in its basic/fileio.h). */
const longestCommand = 1_000_000;

/** A text that becomes part of the unit. */
type Part = { readonly name: string; readonly value: string; readonly origin: string; readonly at?: Place | undefined };

function partsOf(settings: readonly Setting[], command: Settled["command"]): readonly Part[] {
  return [...settings, ...(command ? command.argv.map((value) => ({ ...command, name: "the command", value })) : [])];
}

/** What no unit can hold, with where it comes from. */
function unfitParts({ lines }: SetupPlan, parts: readonly Part[]): readonly Problem[] {
  return parts.flatMap(({ name, value, origin, at }) => {
    const why = unfitArgument(value);
    const whose = at ? name : `${name} of ${origin}`;
    return why === undefined ? [] : [{ at: at ?? lines.image, message: `${whose}: ${why}: ${shorten(value)}` }];
  });
}

/** What is too much for one line of a unit, where nothing else is wrong with it. */
function tooLong({ lines }: SetupPlan, parts: readonly Part[]): readonly Problem[] {
  if (parts.some(({ value }) => unfitArgument(value) !== undefined)) return [];
  const bytes = parts.reduce((sum, { name, value }) => sum + name.length + Buffer.byteLength(unitArgument(value)), 0);
  if (bytes <= longestCommand) return [];
  return [{ at: lines.machine, message: `settings and command have ${bytes} bytes, more than a unit can hold` }];
}

function commandOfBoot(plan: SetupPlan, boot: Setting | undefined): readonly Problem[] {
  if (!plan.command || !boot) return [];
  return [
    {
      at: plan.lines.exec ?? plan.lines.image,
      message: `EXEC of ${plan.script} would become arguments of init: ${boot.origin} sets Boot`,
      hint: "WITH({ Boot: null }) runs the command instead; arguments of init go into Parameters",
    },
  ];
}

/** A machine that keeps what it writes, of which something says that it does not. */
function keptEphemeral({ machine, lines }: SetupPlan, settings: readonly Setting[]): readonly Problem[] {
  const ephemeral = settings.find(({ name, value }) => name === "Ephemeral" && value === "yes");
  if (machine.state !== "keep" || !ephemeral) return [];
  const message = `state "keep" of MACHINE and Ephemeral exclude each other:\n  Ephemeral  from ${originOf(ephemeral)}`;
  const hint = ephemeral.at ? "delete one of them" : "WITH({ Ephemeral: null }) takes away what was inherited";
  return [{ at: ephemeral.at ?? lines.machine, message, hint }];
}

/** Folders whose devices the machine will see, and may not use. */
function deviceWarnings(settings: readonly Setting[]): readonly string[] {
  return unknownDeviceFolders(settings).map(
    (path) =>
      `the machine sees the devices in ${path}, and may not use them: name them one by one in Bind, or allow them as a group by Property: { DeviceAllow: "char-… rw" } (systemd.resource-control(5))`,
  );
}

/** Images from elsewhere may suggest what opens the host to the machine, but the script has to agree. */
function withoutGrant(
  plan: SetupPlan,
  chain: readonly Ancestor[],
  settings: readonly Setting[],
  trustList: readonly string[],
): readonly Problem[] {
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
      at: plan.lines.image,
      message: `the image sets what opens this host to the machine:\n${list}`,
      hint: `if that is meant: IMAGE(${JSON.stringify(plan.image.written)}, { grant: [${names}] }), or give these settings in WITH`,
    },
  ];
}
