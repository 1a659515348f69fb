import { NspawnError } from "../../base/errors.js";
import { runAttached } from "../../host/attached.js";
import { enterCommand } from "../../machine/enter-command.js";
import { type Entry, hasProgramInside, withEntry } from "../../machine/entry.js";
import { loginShell } from "../../machine/root-user.js";
import { findMachine } from "./find-machine.js";

/** What to run in a machine: its root's shell, a line for `sh -c`, or a program with its arguments. */
export type Wanted =
  | { readonly kind: "shell" }
  | { readonly kind: "line"; readonly line: string }
  | { readonly kind: "program"; readonly argv: readonly string[] };

/** `term`: the kind of terminal, TERM of the environment; `terminal`: whether there is one. */
export type EnterOptions = { readonly terminal: boolean; readonly term: string | undefined };

/**
 * Runs a command in a running machine, as its root, with our streams or on a terminal of the machine's.
 * @returns the command's exit code
 * @throws NspawnError if there is no such machine, it does not run, or has no shell
 */
export async function enterMachine(name: string, wanted: Wanted, { terminal, term }: EnterOptions): Promise<number> {
  return withEntry(await findMachine(name), async (entry) => {
    const shell = await findShell(entry);
    const argv = inside(wanted, shell, entry.machine);
    return runAttached(enterCommand(entry, { argv, environment: environmentOf(entry, shell, term), terminal }), { terminal });
  });
}

function inside(wanted: Wanted, shell: string | undefined, machine: string): readonly string[] {
  if (wanted.kind === "program") return wanted.argv;
  if (shell === undefined) {
    throw new NspawnError(`the machine ${machine} has no shell: there is no ${standardShell} in it`, {
      hint: `nspawn-enter ${machine} -- /path/of/a/program`,
    });
  }
  return wanted.kind === "line" ? [standardShell, "-c", wanted.line] : loginShell(shell);
}

const standardShell = "/bin/sh";

/** That of root, else the standard one, if it is there. */
async function findShell({ root, user }: Entry): Promise<string | undefined> {
  for (const shell of [user.shell, standardShell]) if (shell !== undefined && (await hasProgramInside(root, shell))) return shell;
  return undefined;
}

/** Nothing of the host's but the kind of terminal. */
function environmentOf({ user }: Entry, shell: string | undefined, term: string | undefined): Readonly<Record<string, string>> {
  return {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    SHELL: shell ?? standardShell,
    LANG: "C.UTF-8",
    ...(term !== undefined && /^[\w.+-]{1,64}$/.test(term) ? { TERM: term } : {}),
  };
}
