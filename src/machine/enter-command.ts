import { shellQuote } from "../base/shell-quote.js";
import type { Argv } from "../host/host.js";
import { programPath } from "../host/programs.js";
import { type Entry, namespaceKinds, openPath } from "./entry.js";

/** What to run in a machine, and whether on a terminal of the machine's; `environment`: all of it. */
export type Inside = {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly terminal: boolean;
};

/**
 * The command that runs another in a machine. It becomes the parent of that one: it leads the session, and ends as it does.
 *
 * Nothing of the machine is run before all limits hold, and what is run has no open file of ours but the three streams:
 *  1. A mount namespace of its own: the host's programs cannot be written to from there, should the machine have the process run one
 *     of them once more (as by `#!/proc/self/exe`).
 *  2. With a terminal, /dev has but the machine's pseudo terminals: script(1) makes a new one there, so that it has a name in the machine. The
 *     host's own terminal never gets into the machine, which could type on it (TIOCSTI).
 *  3. The control groups and namespaces of the machine, though not its root: programs are the host's still, and the process namespace
 *     holds for children only.
 *  4. The capabilities of the machine's first process.
 *  5. Its root, and the command in a child. This takes a few lines of Perl: nsenter(1) needs rights for all of its steps that the machine need
 *     not have, and dies of a Ctrl-C that is meant for the command; unshare(1) changes the root in the child only, where the machine could
 *     reach the host's through it, and before 2.39 takes a command that was killed for one that failed.
 */
export function enterCommand(entry: Entry, { argv, environment, terminal }: Inside): Argv {
  const join: readonly string[] = [
    "sh",
    "-ec",
    joinScript,
    "sh",
    // Root has it already.
    entry.owner !== 0 ? String(entry.owner) : "",
    String(entry.groups.length),
    ...entry.groups,
    ...intoNamespaces(entry),
    ...withRights(entry),
    ...["env", "-i", ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)],
    ...[programPath("perl"), "-e", lastScript, "--", entry.folder, ...argv],
  ];
  const folder = terminal && entry.terminals !== undefined ? openPath(entry.terminals) : "";
  const start = terminal ? onTerminal(join) : join;
  return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", hostScript, "sh", folder, ...start];
}

/** Arguments: the folder of the machine's pseudo terminals, or nothing; and what to go on with. */
const hostScript = `# Held open, since without it the namespace and its mounts would end when its last process goes on to the machine's.
exec 3</proc/self/ns/mnt
mount --bind -o ro /usr /usr
if [ "$1" ]; then
  mount -t tmpfs -o mode=755 none /dev
  mknod /dev/null c 1 3
  ln -s "$1" /dev/pts
  ln -s pts/ptmx /dev/ptmx
fi
shift
exec "$@"`;

/** Arguments: the user who gets the terminal or the pipes, so that their names can be opened anew, or nothing; how many groups to join, and their files; and what to go on with. */
const joinScript = `if [ "$1" ]; then
  for stream in 0 1 2; do
    if [ -t $stream ] || [ -p /proc/self/fd/$stream ]; then chown "$1" /proc/self/fd/$stream; fi
  done
fi
count=$2
shift 2
while [ "$count" -gt 0 ]; do
  echo $$ >"$1"
  shift
  count=$((count - 1))
done
exec "$@"`;

/**
 * Arguments: the working folder, and the command. The machine's root is the working folder since nsenter. No module may be loaded behind
 * chroot, which would be the machine's.
 */
const lastScript = `my ($folder, @command) = @ARGV;
sub fail { print STDERR "nspawn-enter: $_[0]: $!\\n"; exit $_[1] }
opendir my $folder_of_files, "/proc/self/fd" or fail("/proc/self/fd", 1);
my @files = grep { /^\\d+$/ && $_ > 2 } readdir $folder_of_files;
closedir $folder_of_files;
chroot "." and chdir "/" or fail("root of the machine", 1);
chdir $folder;
my @terminal = qw(INT QUIT TSTP);
my $child = fork;
defined $child or fail("the machine takes no more processes, or has ended", 1);
if ($child == 0) {
  @SIG{@terminal} = ("DEFAULT") x @terminal;
  # More than the streams may have been open when we were started.
  for (@files) { open my $file, "<&=", $_ and close $file }
  exec { $command[0] } @command;
  fail($command[0], $! == 2 ? 127 : 126);
}
# Not before the fork: then they would be lost if they came in between.
@SIG{@terminal} = ("IGNORE") x @terminal;
waitpid $child, 0;
exit($? & 127 ? 128 + ($? & 127) : $? >> 8);`;

/** script(1) takes a command as text for a shell only, and ends as that does; what it records nobody wants. */
function onTerminal(argv: readonly string[]): readonly string[] {
  return ["script", "--quiet", "--return", "--command", `exec ${shellQuote(argv)}`, "/dev/null"];
}

function intoNamespaces({ namespaces, root }: Entry): readonly string[] {
  const options = namespaceKinds.flatMap((kind) => {
    const file = namespaces[kind];
    return file === undefined ? [] : [`--${kind === "mnt" ? "mount" : kind}=${openPath(file)}`];
  });
  return ["nsenter", "--no-fork", ...options, "--root=/", `--wd=${openPath(root)}`, "--"];
}

function withRights({ capabilities, noNewPrivileges }: Entry): readonly string[] {
  const bounding = `--bounding-set=${["-all", ...capabilities.map((number) => `+cap_${number}`)].join(",")}`;
  return ["setpriv", "--inh-caps=-all", bounding, ...(noNewPrivileges ? ["--no-new-privs"] : []), "--"];
}
