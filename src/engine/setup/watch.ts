import { setTimeout } from "node:timers/promises";
import { machineRunBy, type RunningMachine, runningMachines } from "../../machine/leader.js";
import { describeProbe, type ProbeSpec } from "../../plan/probe.js";
import type { ActionContext } from "./action.js";
import { tryProbe } from "./try-probe.js";

/**
 * What has become of a machine that was started. `runs`: not if its command has ended by itself, and well; `isOutdated`: whether systemd wants to read all
 * units anew, as it does from version 255 on when links have changed (`NeedDaemonReload`, of any unit then).
 */
export type Outcome = { readonly runs: boolean; readonly isOutdated: boolean };

/**
 * Waits until a machine that was started is known to work: its unit stays active over the settling time, the systemd in it has finished its
 * start, and its probe succeeds.
 * @param asked ends the wait
 * @throws NspawnError with what the machine wrote to the journal, InterruptedError
 */
export async function watch(context: ActionContext, probe: ProbeSpec | undefined, asked: AbortSignal): Promise<Outcome> {
  const { systemd, paths } = context;
  const watched = new Watched(context, asked);
  try {
    const run = await watched.settle();
    if (!run && probe) throw new Trouble(`${paths.service} does not run: its command has ended, so the probe cannot succeed`);
    if (run) await watched.waitForGuest(run);
    if (run && probe) await watched.probe(probe);
    return { runs: run !== undefined, isOutdated: watched.isOutdated };
  } catch (error) {
    throw error instanceof Trouble ? await systemd.failure(paths.service, error.message, watched) : error;
  }
}

/** Milliseconds between two looks at a unit, and between two tries of a probe. */
const lookStep = 100;
const probeStep = 200;

/** What is wrong with a machine; becomes an error with its journal. */
class Trouble extends Error {}

/** One run of a unit, as systemctl shows it: its state, and what changes if another run takes its place. */
type Run = {
  readonly active: string;
  readonly result: string;
  readonly invocation: string;
  readonly main: string;
  readonly restarts: string;
  /** When it became active, in milliseconds of the monotonic clock; 0: never. */
  readonly since: number;
  /** What systemd-nspawn says, and through it the systemd in a machine. */
  readonly status: string;
  readonly isOutdated: boolean;
};

/** A unit while it is watched: it has to be in the same run all the time, so that Restart= hides nothing. */
class Watched {
  readonly #context: ActionContext;
  readonly #asked: AbortSignal;
  #first: Run | undefined;
  #isOutdated = false;

  constructor(context: ActionContext, asked: AbortSignal) {
    this.#context = context;
    this.#asked = asked;
  }

  /** The run that is watched, by its InvocationID. */
  get invocation(): string {
    return this.#first?.invocation ?? "";
  }

  /** As it was seen last. */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  /** Sees that the unit runs on over the settling time, which begins when it is active. Returns its run then, undefined if its command has ended well. */
  async settle(): Promise<Run | undefined> {
    const began = monotonicNow();
    for (;;) {
      const asked = monotonicNow();
      const run = await this.#look();
      if (run.active === "inactive") return undefined;
      const end = (run.since || began) + this.#context.config.machine.settleTime * 1000;
      if (run.active !== "deactivating" && asked >= end) return run;
      const left = run.active === "deactivating" ? lookStep : end - monotonicNow();
      // In equal parts, so that the last look is not one just before the end. Timers are up to a millisecond early.
      await setTimeout(Math.ceil(left / Math.max(1, Math.round(left / lookStep))) + 1);
    }
  }

  /**
   * Waits for a guest with systemd, which tells its state through systemd-nspawn; others are ready when they run.
   * @param run as it was just seen
   */
  async waitForGuest(run: Run): Promise<void> {
    const { readyTimeout } = this.#context.config.machine;
    const began = performance.now();
    for (let { status } = run; ; { status } = await this.#look()) {
      const waited = (performance.now() - began) / 1000;
      const command = this.#machine?.leader.name ?? "systemd-nspawn";
      // As long as systemd-nspawn has not started the command.
      const isEarly = command === "systemd-nspawn" && waited < 1;
      if (!isEarly && (command !== "systemd" || isReady(status))) return;
      if (waited > readyTimeout) {
        throw new Trouble(`${this.#service} does not get ready: its systemd has not finished its start in ${readyTimeout} s: ${status}`);
      }
      await setTimeout(lookStep);
    }
  }

  /** Tries the probe until it succeeds. */
  async probe(spec: ProbeSpec): Promise<void> {
    const end = performance.now() + spec.seconds * 1000;
    let told: string | undefined;
    for (;;) {
      await this.#look();
      const rest = AbortSignal.timeout(Math.max(1, Math.ceil(end - performance.now())));
      const trouble = await tryProbe(this.#context, spec, this.#machine, AbortSignal.any([this.#asked, rest]));
      if (trouble === undefined) return;
      // A try that the end of the time has cut short says less than one before.
      const why = (rest.aborted && told) || trouble;
      told = why;
      this.#asked.throwIfAborted();
      if (performance.now() + probeStep > end) {
        throw new Trouble(`${this.#service} does not pass its probe in ${spec.seconds} s: ${describeProbe(spec)}: ${why}`);
      }
      await setTimeout(probeStep);
    }
  }

  get #machine(): RunningMachine | undefined {
    const machine = machineRunBy(Number(this.#first?.main));
    // A template may have another program start systemd-nspawn.
    return machine?.unit === this.#service ? machine : runningMachines().find(({ unit }) => unit === this.#service);
  }

  get #service(): string {
    return this.#context.paths.service;
  }

  async #look(): Promise<Run> {
    this.#asked.throwIfAborted();
    const now = await runOf(this.#context);
    this.#first ??= now;
    this.#isOutdated = now.isOutdated;
    const trouble = troubleOf(this.#first, now);
    if (trouble !== undefined) throw new Trouble(`${this.#service} does not ${trouble}`);
    return now;
  }
}

/** The run of a machine's unit. */
export async function runOf({ systemd, paths }: Pick<ActionContext, "systemd" | "paths">): Promise<Run> {
  const properties = [
    "ActiveState",
    "Result",
    "InvocationID",
    "MainPID",
    "NRestarts",
    "ActiveEnterTimestampMonotonic",
    "StatusText",
    "NeedDaemonReload",
  ] as const;
  const [shown] = await systemd.show([paths.service], properties);
  return {
    active: shown?.ActiveState ?? "",
    result: shown?.Result ?? "",
    invocation: shown?.InvocationID ?? "",
    main: shown?.MainPID ?? "",
    restarts: shown?.NRestarts ?? "",
    since: Number(shown?.ActiveEnterTimestampMonotonic ?? 0) / 1000,
    status: shown?.StatusText ?? "",
    isOutdated: shown?.NeedDaemonReload === "yes",
  };
}

/** Milliseconds of the clock that systemd tells monotonic times of: CLOCK_MONOTONIC, see clock_gettime(2). */
function monotonicNow(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Why a run is none that works, as it goes on after "does not"; undefined if it does, or has ended well. */
function troubleOf(first: Run, now: Run): string | undefined {
  if (now.active === "failed") return `start: it has ended with a failure (${now.result})`;
  if (now.restarts !== "0") return "start: it has ended, and was started again, as Restart= says";
  // systemd forgets the run of a unit that has ended and that nothing names.
  if (now.active === "inactive") return now.result === "success" ? undefined : `start: it has ended with a failure (${now.result})`;
  if (now.invocation !== first.invocation) return "run on: it was started again";
  if (now.active === "activating") return "start: it has ended, and is started again, as Restart= says";
  // How it ends is seen then.
  if (now.active === "deactivating") return undefined;
  return now.main === first.main ? undefined : "run on: its main process is another one";
}

/** Whether the systemd in a machine has finished its start; a failed unit in it is no reason to wait. */
function isReady(status: string): boolean {
  return /^Container running: (Ready|Startup finished)/.test(status);
}
