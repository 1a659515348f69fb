import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { beforeEach, describe, expect, test } from "vitest";
import { type Completed, completion, completionShells } from "../../src/cli/completion/completion.js";
import { machineNames } from "../../src/cli/completion/machine-names.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";
import { sample } from "../support/tries.js";

const build: Completed = {
  command: new Command("nspawn-build")
    .argument("<script>")
    .option("--plan", "print what would be done, and do nothing")
    .option("--config <value>", "a value of the configuration: [section]key=value")
    .addOption(new Option("--colour <when>", "whether it's painted [or not]").choices(["always", "never"]))
    .option("-q, --quiet", "print errors only")
    .helpOption("--help", "print this help"),
  script: "build",
};
const setup: Completed = {
  command: new Command("nspawn-setup").option("--action <action>", "what to do", "update").helpOption("--help", "print this help"),
  script: "setup",
  values: { "--action": { start: "start the machine; it's there", stop: 'stop: "now" (and $HOME)', status: "tell how it is" } },
};

let folder: string;

beforeEach(() => {
  folder = tempFolder();
  writeFiles(folder, { "one.ts": "", "two.mjs": "", "three.js": "", "four.mts": "", "notes.md": "", "web/build.ts": "", "a b.ts": "" });
});

/** What a shell proposes for the last of these words. */
type Propose = (words: readonly string[]) => readonly string[];

const shells: Readonly<Record<(typeof completionShells)[number], Propose>> = {
  bash: (words) => {
    // The words as readline splits them: = stands alone.
    const split = words.flatMap((word) => word.split(/(?<=^--\w+)(?==)|(?<==)(?=.)/));
    const script = `source ./completions
compopt() { :; }
name=\${1##*/}; spec=$(complete -p "$name"); spec=\${spec#*-F }; function=\${spec%% *}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
"$function"
printf '%s\\n' "\${COMPREPLY[@]}"`;
    return linesOf(execFileSync("bash", ["--norc", "-ec", script, "bash", ...split], { cwd: folder, encoding: "utf8" }));
  },
  zsh: (words) => zshProposals(words),
  fish: (words) => {
    const line = words.map((word) => word.replace(/[ $]/g, "\\$&")).join(" ");
    const output = execFileSync("fish", ["--no-config", "-c", "source ./completions; complete -C $argv[1]", line], {
      cwd: folder,
      encoding: "utf8",
    });
    return linesOf(output).map((proposal) => proposal.split("\t")[0] ?? "");
  },
};

/** Drives an interactive zsh in a pseudo terminal of its own, and has its completion list all that it proposes. */
function zshProposals(words: readonly string[]): readonly string[] {
  const line = words.map((word) => word.replace(/[ $]/g, "\\$&")).join(" ");
  writeFileSync(
    join(folder, ".zshrc"),
    `PROMPT= RPROMPT= LISTMAX=1000
autoload -Uz compinit && compinit -u -D
source ./completions
zstyle ':completion:*' list-grouped false
zstyle ':completion:*:default' list-prompt ''
zstyle ':completion:*' verbose no
# What is proposed goes to a file, instead of the list on the terminal.
compadd() {
  if [[ \${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]]; then
    local -a __found; builtin compadd -A __found "$@"
    print -rl -- $__found >>proposals
  fi
  builtin compadd "$@"
}
`,
  );
  writeFileSync(
    join(folder, "drive"),
    `zmodload zsh/zpty
zpty shell 'ZDOTDIR=. zsh -i'
zpty -w -n shell 'print re''ady'$'\\n'
zpty -r shell heard '*ready*'
: >proposals
zpty -w -n shell "$1"$'\\t'
sleep 0.1
for try in {1..50}; do [[ -s proposals ]] && break; sleep 0.05; done
sleep 0.1
zpty -d shell`,
  );
  execFileSync("zsh", ["-f", "./drive", line], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return linesOf(execFileSync("cat", ["proposals"], { cwd: folder, encoding: "utf8" }));
}

function linesOf(text: string): readonly string[] {
  return [...new Set(text.split("\n").filter((line) => line !== ""))].map((line) => line.replace(/[ =]$/, "")).sort();
}

const image = new Command("image").summary("images; of the store").helpOption("--help", "print this help");
image.command("list").summary("what's there").option("--json", "print JSON").helpOption("--help", "print this help");
image.command("pull").summary("bring in").option("--colour <when>", "when").helpOption("--help", "print this help");
const group: Completed = {
  command: new Command("nspawn").option("--version", "print the version").helpOption("--help", "print this help").helpCommand(false),
  values: { "--colour": { always: "", never: "" } },
};
group.command.addCommand(image).addCommand(new Command("prune").summary("remove").option("--dry-run", "only say what"));
for (const { commands } of [group.command, image]) for (const command of commands) command.helpCommand(false);

describe.each(completionShells)("in %s", (shell) => {
  function propose(completed: Completed, ...words: readonly string[]): readonly string[] {
    writeFileSync(join(folder, "completions"), completion(shell, [completed]));
    return shells[shell](words);
  }

  test("options are completed from the command's table", () => {
    expect(propose(build, "nspawn-build", "--")).toEqual(["--colour", "--config", "--help", "--plan", "--quiet"]);
    expect(propose(build, "nspawn-build", "--pl")).toEqual(["--plan"]);
  });

  test("a script called directly is completed like its command", () => {
    expect(propose(build, "./web/build.ts", "--co")).toEqual(["--colour", "--config"]);
    expect(propose(setup, "./setup.mjs", "--a")).toEqual(["--action"]);
  });

  test("files that may be scripts are proposed, and folders", () => {
    const proposed = propose(build, "nspawn-build", "--plan", "").map((name) => name.replace(/\/$/, ""));
    for (const name of ["one.ts", "two.mjs", "three.js", "four.mts", "a b.ts", "web"])
      expect(proposed.map((word) => word.replaceAll("\\", ""))).toContain(name);
    expect(proposed).not.toContain("--plan");
  });

  test("values of an option are completed, with and without =", () => {
    expect(propose(setup, "nspawn-setup", "--action", "st")).toEqual(["start", "status", "stop"]);
    expect(propose(setup, "nspawn-setup", "--action=sto").map((word) => word.replace("--action=", ""))).toEqual(["stop"]);
    expect(propose(build, "nspawn-build", "--colour", "")).toEqual(["always", "never"]);
  });
});

const enter: Completed = {
  command: new Command("nspawn-enter").argument("<machine>").argument("[command...]").option("--verbose", "say more").helpOption(false),
};
const machine = new Command("machine").summary("machines").helpOption(false).helpCommand(false);
machine.command("status").argument("<machine...>").summary("how they are").option("--check", "ask").helpOption(false);
const machines: Completed = { command: new Command("nspawn").helpOption(false).helpCommand(false) };
machines.command.addCommand(machine);

describe.each(sample(completionShells))("machines in %s", (shell) => {
  const propose = (completed: Completed, ...words: readonly string[]): readonly string[] => {
    writeFiles(folder, { "units/web.service": "# nspawn machine web\n[Unit]\n", "units/dbus.service": "[Unit]\n# nspawn machine no\n" });
    writeFiles(folder, {
      "units/w-2.service": "# nspawn machine w-2\n",
      "units/dir.service/x": "",
      "units/evil.service": "# nspawn machine $(touch evil)\n",
    });
    const names = machineNames.replaceAll(/\/etc\/systemd\/system|\/run\/systemd\/machines/g, (path) =>
      path.startsWith("/etc") ? join(folder, "units") : join(folder, "running"),
    );
    writeFiles(folder, { "running/other": "", "running/unit:other.scope": "", "running/$(touch evil)": "" });
    writeFileSync(join(folder, "completions"), completion(shell, [completed], names));
    return shells[shell](words);
  };

  test("are proposed by their names, without any that a shell could run", () => {
    expect(propose(enter, "nspawn-enter", "")).toEqual(["other", "w-2", "web"]);
    expect(propose(enter, "nspawn-enter", "w")).toEqual(["w-2", "web"]);
    expect(propose(enter, "nspawn-enter", "--verbose", "o")).toEqual(["other"]);
    expect(propose(machines, "nspawn", "machine", "status", "")).toEqual(["other", "w-2", "web"]);
    expect(propose(machines, "nspawn", "machine", "status", "web", "o")).toEqual(["other"]);
    expect(propose(machines, "nspawn", "machine", "status", "--c")).toEqual(["--check"]);
    expect(existsSync(join(folder, "evil"))).toBe(false);
  });

  test("are proposed once: what follows is the command's own", () => {
    expect(propose(enter, "nspawn-enter", "--v")).toEqual(["--verbose"]);
    expect(propose(enter, "nspawn-enter", "web", "w")).toEqual([]);
    expect(propose(enter, "nspawn-enter", "web", "--v")).toEqual([]);
  });
});

describe.each(sample(completionShells))("commands below a command in %s", (shell) => {
  const propose = (...words: readonly string[]): readonly string[] => {
    writeFileSync(join(folder, "completions"), completion(shell, [group]));
    return shells[shell](words);
  };

  test("are completed, each with its own options", () => {
    expect(propose("nspawn", "")).toEqual(["image", "prune"]);
    expect(propose("nspawn", "--")).toEqual(["--help", "--version"]);
    expect(propose("nspawn", "image", "")).toEqual(["list", "pull"]);
    expect(propose("nspawn", "image", "l")).toEqual(["list"]);
    expect(propose("nspawn", "image", "list", "--")).toEqual(["--help", "--json"]);
    expect(propose("nspawn", "prune", "--d")).toEqual(["--dry-run"]);
  });

  test("take the values of their options", () => {
    expect(propose("nspawn", "image", "pull", "--colour", "")).toEqual(["always", "never"]);
  });
});

test("another shell is refused with those that are known", () => {
  expect(() => completion("tcsh", [build])).toThrow('there are completions for bash, zsh, fish, not for "tcsh"');
});

test("zsh finds no fault in the syntax of its script, nor bash in its", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const path = join(folder, "completions");
    writeFileSync(path, completion(shell, [build, setup, group, enter, machines]));
    expect(execFileSync(shell, ["-n", path], { encoding: "utf8", stdio: "pipe" })).toBe("");
  }
});
