import { environment } from "../kinds/assignment.js";
import { pivotRoot } from "../kinds/mount.js";
import {
  addressFamilies,
  ambientCapability,
  anyCapability,
  argument,
  callFilter,
  cpuList,
  limit,
  signal,
  uidRange,
} from "../kinds/process.js";
import { hostname, imagePath, imageUser, machineId } from "../kinds/text.js";
import { boolean, integer, oneOf } from "../kinds/words.js";
import { type Row, row } from "./row.js";

/** [Exec] of systemd.nspawn(5): the first process of the machine, its rights and limits. */
export const execSettings = {
  Boot: {
    ...row("--boot", 226, "flag", "no", boolean),
    doc: "Boots the image: its init runs as the first process. Not with ProcessTwo, nor with EXEC; arguments of init go into Parameters.",
  },
  Ephemeral: {
    ...row("--ephemeral", 240, "flag", "yes", boolean),
    doc: "What the machine writes is gone when it stops, as with the state volatile; refused beside keep.",
  },
  ProcessTwo: {
    ...row("--as-pid2", 229, "flag", "no", boolean),
    doc: "Runs the command as process 2, below a small init that reaps processes and passes signals on. Not with Boot.",
  },
  Parameters: {
    ...row("", 226, "positional", "no", argument),
    doc: "Arguments of init where the machine boots; otherwise the command, if there is no EXEC.",
  },
  Environment: {
    ...row("--setenv", 226, "each", "no", environment),
    doc: "Variables in the environment of the first process, and of RUN and SH in builds. Of one variable the nearest value counts.",
  },
  User: {
    ...row("-u", 226, "separate", "no", imageUser),
    doc: "Runs the command as this user of the image.",
  },
  WorkingDirectory: {
    ...row("--chdir", 229, "value", "no", imagePath),
    doc: "The folder that the command starts in, and RUN and SH in builds.",
  },
  PivotRoot: {
    ...row("--pivot-root", 233, "value", "no", pivotRoot),
    doc: "Makes NEW the machine's root; the root that was before appears at OLD, or is unmounted.",
  },
  Capability: {
    ...row("--capability", 226, "each", "yes", anyCapability),
    doc: "Capabilities that the machine keeps besides the usual ones.",
  },
  AmbientCapability: {
    ...row("--ambient-capability", 248, "each", "yes", ambientCapability),
    doc: "Capabilities that the command has although it does not run as root; the machine must have them, too. Not with Boot.",
  },
  DropCapability: {
    ...row("--drop-capability", 226, "each", "no", anyCapability),
    doc: "Capabilities that are taken from the machine.",
  },
  NoNewPrivileges: {
    ...row("--no-new-privileges", 239, "value", "no", boolean),
    doc: "Keeps programs from gaining rights by set-user-ID bits and file capabilities.",
  },
  KillSignal: {
    ...row("--kill-signal", 230, "value", "no", signal),
    doc: "The signal that asks the first process to end. Without it SIGRTMIN+3 for machines that boot; others are killed.",
  },
  Personality: {
    ...row("--personality", 226, "value", "no", {
      ...oneOf({
        words: { x86: 0, "x86-64": 0 },
        example: "x86-64",
        // systemd knows those of the host's own architecture only.
        others: { expected: "another architecture of the host", type: "(string & {})", test: (text) => /^[a-z0-9-]+$/.test(text) },
      }),
    }),
    doc: "The architecture that uname(2) reports, such as x86 for a 32-bit image.",
  },
  MachineID: {
    ...row("--uuid", 226, "value", "yes", machineId),
    doc: "The machine's ID, which it takes for its /etc/machine-id if that is not set.",
  },
  PrivateUsers: {
    ...row(
      "--private-users",
      230,
      "value",
      "yes",
      oneOf({
        words: { no: 0, yes: 0, pick: 0, identity: 0, managed: 258 },
        example: "pick",
        booleans: { yes: "yes", no: "no" },
        others: uidRange,
      }),
    ),
    doc: "Users of the machine are others on the host: from UID on, from a range that is picked, or (yes) from the owner of the machine's root.",
  },
  PrivateUsersDelegate: {
    ...row("--private-users-delegate", 260, "value", "yes", integer(0, 16)),
    doc: "How many more ranges of 65536 users the machine gets for machines of its own. Needs PrivateUsers=managed.",
  },
  NotifyReady: {
    ...row("--notify-ready", 231, "value", "no", boolean),
    doc: "The machine counts as started when its first process says so by sd_notify(3), as an init of systemd does.",
  },
  SystemCallFilter: {
    ...row("--system-call-filter", 235, "each", "allow-list", callFilter),
    doc: "System calls that are allowed besides the usual ones, or denied (~).",
  },
  RestrictAddressFamilies: {
    ...row("--restrict-address-families", 261, "each", "no", addressFamilies),
    doc: "Address families of which the machine may make sockets, or may not (~).",
  },
  LimitCPU: { ...rlimit("CPU", "seconds"), doc: "CPU time of a process." },
  LimitFSIZE: { ...rlimit("FSIZE", "size"), doc: "Size of a file that is written." },
  LimitDATA: { ...rlimit("DATA", "size"), doc: "Size of a process's data." },
  LimitSTACK: { ...rlimit("STACK", "size"), doc: "Size of a process's stack." },
  LimitCORE: { ...rlimit("CORE", "size"), doc: "Size of a core file." },
  LimitRSS: { ...rlimit("RSS", "size"), doc: "Size of a process in memory; Linux takes no notice of it." },
  LimitNOFILE: { ...rlimit("NOFILE", "count"), doc: "Files that a process has open." },
  LimitAS: { ...rlimit("AS", "size"), doc: "Size of a process's address space." },
  LimitNPROC: { ...rlimit("NPROC", "count"), doc: "Processes and threads of a user." },
  LimitMEMLOCK: { ...rlimit("MEMLOCK", "size"), doc: "Memory that a process locks." },
  LimitLOCKS: { ...rlimit("LOCKS", "count"), doc: "File locks of a process; Linux takes no notice of it." },
  LimitSIGPENDING: { ...rlimit("SIGPENDING", "count"), doc: "Signals that are pending for a user." },
  LimitMSGQUEUE: { ...rlimit("MSGQUEUE", "size"), doc: "Bytes in POSIX message queues of a user." },
  LimitNICE: { ...rlimit("NICE", "nice"), doc: "How far a process may raise its priority." },
  LimitRTPRIO: { ...rlimit("RTPRIO", "count"), doc: "Real-time priority that a process may take." },
  LimitRTTIME: { ...rlimit("RTTIME", "microseconds"), doc: "CPU time that a real-time process may take without waiting." },
  OOMScoreAdjust: {
    ...row("--oom-score-adjust", 239, "value", "yes", integer(-1000, 1000)),
    doc: "How likely the kernel kills the machine's processes when memory runs out.",
  },
  CPUAffinity: {
    ...row("--cpu-affinity", 239, "value", "yes", cpuList),
    doc: "The CPUs that the machine runs on.",
  },
  Hostname: {
    ...row("--hostname", 239, "value", "no", hostname),
    doc: "The machine's host name, by default its machine name. An /etc/hostname of an image that boots counts before it.",
  },
  ResolvConf: {
    ...row(
      "--resolv-conf",
      239,
      "value",
      "no",
      oneOf({
        words: Object.fromEntries(
          [
            "off",
            ...["copy", "replace", "bind"].flatMap((way) => ["host", "static", "uplink", "stub"].map((from) => `${way}-${from}`)),
            "delete",
            "auto",
          ].map((word) => [word, 0]),
        ),
        example: "bind-host",
        booleans: { yes: "auto", no: "off" },
      }),
    ),
    doc: "Where the machine's /etc/resolv.conf comes from.",
  },
  Timezone: {
    ...row(
      "--timezone",
      239,
      "value",
      "no",
      oneOf({
        words: { off: 0, copy: 0, bind: 0, symlink: 0, delete: 0, auto: 0 },
        example: "bind",
        booleans: { yes: "auto", no: "off" },
      }),
    ),
    doc: "Where the machine's /etc/localtime comes from.",
  },
  LinkJournal: {
    ...row(
      "--link-journal",
      239,
      "value",
      "yes",
      oneOf({
        words: { no: 0, host: 0, "try-host": 0, guest: 0, "try-guest": 0, auto: 0 },
        example: "try-guest",
        booleans: { yes: "auto", no: "no" },
      }),
    ),
    doc: "Whether the host sees the machine's journal, and which of them keeps it.",
  },
  SuppressSync: {
    ...row("--suppress-sync", 250, "value", "no", boolean),
    doc: "Makes fsync(2) and its kin do nothing: faster, and unsafe for what has to outlive a crash.",
  },
} as const satisfies Readonly<Record<string, Row>>;

function rlimit(name: string, of: Parameters<typeof limit>[0]): Omit<Row, "doc"> {
  return row(`--rlimit=RLIMIT_${name}`, 239, "value", "yes", limit(of));
}
