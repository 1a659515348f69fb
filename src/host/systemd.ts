import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { CommandError, NspawnError } from "../base/errors.js";
import { settleAll } from "../base/settle.js";
import type { Argv, Host } from "./host.js";
import { processorTime } from "./processes.js";

/** State of a unit as systemctl shows it. */
export type UnitState = {
  readonly active: string;
  /** Whether it starts with the host, by the links that there are now. */
  readonly enabled: string;
  /** The same, by the links that there were when systemd read them last. */
  readonly known: string;
  readonly fragment: string;
};

/** Properties of a unit, as texts. */
export type Shown<P extends string> = { readonly [K in P]: string };

type StartOptions = { readonly verb?: "start" | "restart"; readonly isNew?: boolean };

/** Whether systemd runs this host: sd_booted(3). */
export function isSystemdHost(): boolean {
  return existsSync("/run/systemd/system");
}

/** The systemd that runs this host. */
export class Systemd {
  readonly #host: Host;

  /** @throws NspawnError where PID 1 is not systemd */
  constructor(host: Host) {
    if (!isSystemdHost()) {
      throw new NspawnError("this host does not run systemd, so it cannot have machines", {
        hint: "images can be built here; run the setup script on a host with systemd",
      });
    }
    this.#host = host;
  }

  /** @param mayHaveLinks whether it is looked for links, too */
  async state(unit: string, mayHaveLinks = true): Promise<UnitState> {
    const [[shown], enabled] = await settleAll([
      this.show([unit], ["ActiveState", "UnitFileState", "FragmentPath"]),
      mayHaveLinks ? this.#enabled(unit) : "",
    ]);
    return { active: shown?.ActiveState ?? "", enabled, known: shown?.UnitFileState ?? "", fragment: shown?.FragmentPath ?? "" };
  }

  /** As systemctl(1) finds it by the links; empty where there is no such unit. What `show` tells is as old as the last reload. */
  async #enabled(unit: string): Promise<string> {
    try {
      const { stdout } = await this.#host.run({ argv: ["systemctl", "is-enabled", "--", unit], mayOutlive: true });
      return stdout.trim();
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      // Of one that is not enabled it tells the state, too, and newer versions that it is not there.
      const [state = ""] = error.output.trim().split("\n");
      return /^[a-z-]+$/.test(state) && state !== "not-found" ? state : "";
    }
  }

  /**
   * Properties of units, as systemctl(1) shows them, in the order of the units; empty where a unit lacks one. It is one call for all of
   * them, since each takes longer to start than to answer. Units that are not there have the LoadState `not-found`. Times are in UTC, with
   * microseconds: `Tue 2026-11-24 03:51:07.231415 UTC`.
   */
  async show<P extends string>(units: readonly string[], properties: readonly P[]): Promise<readonly Shown<P>[]> {
    if (units.length === 0) return [];
    const argv: Argv = ["systemctl", "show", "--timestamp=us+utc", `--property=${properties.join(",")}`, "--", ...units];
    const { stdout } = await this.#host.run({ argv, mayOutlive: true });
    const blocks = stdout.trimEnd().split(/\n\n+/);
    if (blocks.length !== units.length) {
      throw new NspawnError(`systemctl was asked for ${units.length} units, and told of ${blocks.length}`);
    }
    return blocks.map((block) => shownIn(block, properties));
  }

  /** Reads all units anew. */
  async reload(): Promise<void> {
    await this.#host.run({ argv: ["systemctl", "daemon-reload"] });
  }

  /**
   * Makes a new unit file known. systemd finds a unit that it did not have by itself, without the time that it takes to read all units of
   * this host anew.
   */
  async readNew(unit: string): Promise<void> {
    const [shown] = await this.show([unit], ["LoadState", "NeedDaemonReload"]);
    if (shown?.LoadState !== "loaded" || shown.NeedDaemonReload !== "no") await this.reload();
  }

  /** Whether systemd remembers that there was no such unit, as where another one names it. */
  async #missed(unit: string): Promise<boolean> {
    const [shown] = await this.show([unit], ["LoadState"]);
    return shown?.LoadState === "not-found";
  }

  /**
   * Waits until systemd has nothing more to do, for half a second at most. Behind a reload it has: it tells of each unit, and what is
   * asked of it then takes longer.
   */
  async whenQuiet(): Promise<void> {
    const step = 20;
    const end = performance.now() + 500;
    let used = processorTime(1);
    while (used !== undefined && performance.now() < end) {
      await setTimeout(step);
      const now = processorTime(1);
      if (now === undefined || now - used < step / 10) return;
      used = now;
    }
  }

  /**
   * Starts a unit, or starts one that runs anew: one job of systemd, which it does to its end whatever becomes of us. However often it
   * was started lately, it is started once more.
   * @param options.isNew whether systemd has not read its file yet, and has forgotten what it may have known of one of that name
   * @throws NspawnError with what the unit wrote to the journal
   */
  async start(unit: string, { verb = "start", isNew = false }: StartOptions = {}): Promise<void> {
    if (!isNew) await this.resetFailed(unit);
    try {
      await this.#host.run({ argv: ["systemctl", verb, "--", unit] });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (isNew && (await this.#missed(unit))) {
        await this.reload();
        return this.start(unit, { verb });
      }
      throw await this.failure(unit, `${unit} does not start`, { error });
    }
  }

  /**
   * The error of a unit that failed, with what it wrote itself, which says more than systemctl does.
   * @param about.invocation the run of it that counts, by its InvocationID; the last one by default
   * @param about.error what was told of it, where it wrote nothing
   */
  async failure(
    unit: string,
    message: string,
    about: { readonly invocation?: string; readonly error?: CommandError } = {},
  ): Promise<NspawnError> {
    const [shown] = await this.show([unit], ["InvocationID"]);
    const id = about.invocation ?? shown?.InvocationID ?? "";
    // What it wrote itself, and what systemd wrote about it.
    const run = [`_SYSTEMD_INVOCATION_ID=${id}`, "+", `INVOCATION_ID=${id}`];
    const argv: Argv = ["journalctl", "--lines=15", "--no-pager", "--output=cat", ...run];
    const journal = await this.#host.run({ argv: [...argv, "--quiet"], cleansUp: true }).catch(() => ({ stdout: "" }));
    const output = journal.stdout.trim();
    const cause = output === "" ? about.error : new CommandError({ argv, code: 0, output });
    return new NspawnError(message, { cause, hint: `systemctl status ${unit}` });
  }

  /**
   * Stops a unit. A machine without systemd inside is killed by systemd-nspawn, which then ends with status 1: that is no
   * failure to remember when the stop was asked for.
   */
  async stop(unit: string): Promise<void> {
    await this.#host.run({ argv: ["systemctl", "stop", "--", unit] });
    await this.resetFailed(unit);
  }

  /** Makes the links that have a unit started with the host, or makes them anew. systemd knows of them after a {@link reload}. */
  async enable(unit: string, verb: "enable" | "reenable" = "enable"): Promise<void> {
    await this.#host.run({ argv: ["systemctl", verb, "--quiet", "--no-reload", "--", unit] });
  }

  /** Removes the links that have a unit started with the host. systemd knows of it after a {@link reload}. */
  async disable(unit: string): Promise<void> {
    await this.#host.run({ argv: ["systemctl", "disable", "--quiet", "--no-reload", "--", unit] });
  }

  /** Forgets that a unit failed, so that nothing of it stays behind when its file is gone, and how often it was started lately. */
  async resetFailed(unit: string): Promise<void> {
    await this.#host.run({ argv: ["systemctl", "reset-failed", "--", unit] }).catch(() => undefined);
  }
}

/** A line for each property, `Name=value`. */
function shownIn<P extends string>(block: string, properties: readonly P[]): Shown<P> {
  const values = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  return Object.fromEntries(properties.map((name) => [name, values.get(name) ?? ""])) as Shown<P>;
}
