import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { CommandError, NspawnError } from "../base/errors.js";
import type { Argv, Host } from "./host.js";

/** State of a unit as systemctl shows it. */
export type UnitState = { readonly active: string; readonly enabled: string; readonly fragment: string };

/** Milliseconds that a started unit is watched, and between two looks at it. */
const watchTime = 400;
const watchStep = 50;

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

  async state(unit: string): Promise<UnitState> {
    const { stdout } = await this.#host.run({
      argv: ["systemctl", "show", "--property=ActiveState,UnitFileState,FragmentPath", "--", unit],
    });
    const fields = new Map(stdout.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
    return {
      active: fields.get("ActiveState") ?? "",
      enabled: fields.get("UnitFileState") ?? "",
      fragment: fields.get("FragmentPath") ?? "",
    };
  }

  /** Reads all units anew. */
  async reload(): Promise<void> {
    await this.#host.run({ argv: ["systemctl", "daemon-reload"] });
  }

  /**
   * Starts a unit, and sees that it does not fail at once: systemd-nspawn says that it is ready before the machine's command is
   * even looked up.
   * @returns whether it runs; a command that has ended by itself, and well, does not
   * @throws NspawnError with what the unit wrote to the journal
   */
  async start(unit: string): Promise<boolean> {
    const began = Math.floor(Date.now() / 1000);
    const failed = async (error: CommandError): Promise<NspawnError> =>
      new NspawnError(`${unit} does not start`, { cause: await this.#withJournal(unit, began, error), hint: `systemctl status ${unit}` });
    const argv: Argv = ["systemctl", "start", "--", unit];
    try {
      await this.#host.run({ argv });
    } catch (error) {
      throw error instanceof CommandError ? await failed(error) : error;
    }
    for (let waited = 0; waited < watchTime; waited += watchStep) {
      await setTimeout(watchStep);
      const { active } = await this.state(unit);
      if (active === "failed") throw await failed(new CommandError({ argv, code: 0, output: "it ended with a failure at once" }));
      if (active === "inactive") return false;
    }
    return true;
  }

  /**
   * Stops a unit. A machine without systemd inside is killed by systemd-nspawn, which then ends with status 1: that is no
   * failure to remember when the stop was asked for.
   */
  async stop(unit: string): Promise<void> {
    await this.#host.run({ argv: ["systemctl", "stop", "--", unit] });
    await this.resetFailed(unit);
  }

  async enable(unit: string): Promise<void> {
    await this.#host.run({ argv: ["systemctl", "enable", "--quiet", "--", unit] });
  }

  async disable(unit: string): Promise<void> {
    await this.#host.run({ argv: ["systemctl", "disable", "--quiet", "--", unit] });
  }

  /** Forgets that a unit failed, so that nothing of it stays behind when its file is gone. */
  async resetFailed(unit: string): Promise<void> {
    await this.#host.run({ argv: ["systemctl", "reset-failed", "--", unit] }).catch(() => undefined);
  }

  /** The error with what the unit itself wrote, which says more than systemctl does. */
  async #withJournal(unit: string, since: number, error: CommandError): Promise<CommandError> {
    const journal = await this.#host
      .run({ argv: ["journalctl", `--unit=${unit}`, `--since=@${since}`, "--lines=15", "--no-pager", "--output=cat", "--quiet"] })
      .catch(() => ({ stdout: "" }));
    const output = journal.stdout.trim() || error.output;
    return new CommandError({ argv: error.argv, code: error.code, signal: error.signal, output });
  }
}
