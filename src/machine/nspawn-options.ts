import { readlinkSync } from "node:fs";
import { basename } from "node:path";
import { hasCode } from "../base/errors.js";
import { readProcess } from "../host/processes.js";

/** The name of the machine that a systemd-nspawn runs, by its command line; undefined if that tells none. */
export function nameByCommandLine(pid: number): string | undefined {
  const text = readProcess(pid, "cmdline");
  // Empty: it has ended, and nobody has taken note yet.
  if (text === undefined || text === "") return undefined;
  const words = Buffer.from(text, "latin1").toString("utf8").split("\0").slice(0, -1);
  try {
    return machineNameIn(words.slice(1), () => readlinkSync(`/proc/${pid}/cwd`));
  } catch (error) {
    if (hasCode(error, "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
}

/**
 * The name that systemd-nspawn(1) gives a machine with these arguments: `--machine`, else that of its folder or image.
 * @param currentFolder its working folder, which is the machine's root if the arguments name none
 */
export function machineNameIn(words: readonly string[], currentFolder: () => string): string | undefined {
  const { machine, directory, image, template } = parseOptions(words);
  if (machine !== undefined) return machine;
  if (image !== undefined) return basename(image).replace(/\.raw$/, "");
  return basename(directory ?? template ?? currentFolder()) || undefined;
}

type Named = "machine" | "directory" | "image" | "template";

/** Options as getopt_long(3) reads them, up to the first word that is none, where the machine's own command begins. */
function parseOptions(words: readonly string[]): Readonly<Partial<Record<Named, string>>> {
  const found: Partial<Record<Named, string>> = {};
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--" || !/^-./.test(word)) break;
    const option = word.startsWith("--") ? longOption(word) : shortOption(word);
    if (!option) continue;
    const value = option.value ?? words[++index];
    if (option.name !== undefined && value !== undefined) found[option.name] = value;
  }
  return found;
}

/** An option with a value, which is in the next word if it is not here; `name` for those that matter. */
type Option = { readonly name: Named | undefined; readonly value: string | undefined };

function longOption(word: string): Option | undefined {
  const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const named = namedOptions.find((known) => known === name);
  if (value === undefined && named === undefined && flags.test(name)) return undefined;
  return { name: named, value };
}

const namedOptions: readonly Named[] = ["machine", "directory", "image", "template"];

/** Long options without a value, or whose value is always behind a `=`. */
const flags =
  /^(?:as-pid2|boot|cleanup|ephemeral|help|keep-unit|network-veth|no-ask-password|no-pager|pipe|private-network|private-users|private-users-chown|quiet|read-only|share-system|system|user|version|volatile)$/;

/** Several in one word, `-qbMweb`, the last of them perhaps with its value. */
function shortOption(word: string): Option | undefined {
  for (let index = 1; index < word.length; index++) {
    const letter = word[index] ?? "";
    if (!"DELMSZipu".includes(letter)) continue;
    const name = ({ M: "machine", D: "directory", i: "image" } as const)[letter];
    return { name, value: word.slice(index + 1) || undefined };
  }
  return undefined;
}
