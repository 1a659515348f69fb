import { didYouMean } from "../../base/nearest.js";
import { quoteWord, splitQuoted } from "../quoted-words.js";
import { type Kind, pattern, scalarText, splitWords, WrongValue } from "./kind.js";

const capabilities = [
  ...["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"],
  ...["CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW"],
  ...["CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT"],
  ...["CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD"],
  ...["CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG"],
  ...["CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"],
] as const;

/** A capability of Linux, see capabilities(7). */
export type CapabilityName = (typeof capabilities)[number];

const ambient = capability("the name of a capability, such as CAP_NET_ADMIN", "CapabilityName | (string & {})", [...capabilities]);

/** Without `all`. */
export const ambientCapability: Kind = { ...ambient, example: ["CAP_NET_BIND_SERVICE"] };

export const anyCapability: Kind = capability(
  "the name of a capability, such as CAP_NET_ADMIN, or all",
  'CapabilityName | "all" | (string & {})',
  [...capabilities, "all"],
);

function capability(expected: string, type: string, words: readonly string[]): Kind {
  return pattern({
    expected,
    type,
    example: ["CAP_NET_ADMIN", "CAP_SYS_PTRACE"],
    // Numbers, too, and names in small letters (capability_from_name in systemd's basic/cap-list.c).
    test: (text) => words.includes(text) || words.includes(text.replace(/^cap_\w+$/i, (name) => name.toUpperCase())) || isBelow(64, text),
    hint: (text) =>
      text === "all"
        ? "all is for Capability and DropCapability"
        : didYouMean(text.startsWith("CAP_") || text === "" ? text : `CAP_${text}`, words),
    split: (text) => text.split(/[\s,]+/).filter((word) => word !== ""),
  });
}

const isBelow = (limit: number, text: string): boolean => /^\d+$/.test(text) && Number(text) < limit;

const signals = [
  ...["HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT"],
  ...["CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"],
  ...["RTMIN", "RTMAX"],
] as const;

/** A signal of Linux, see signal(7). */
export type SignalName = `SIG${(typeof signals)[number]}`;

export const signal: Kind = pattern({
  expected: "the name of a signal, such as SIGTERM or SIGRTMIN+3, or its number",
  type: "SignalName | number | (string & {})",
  example: "SIGTERM",
  test: (text) => {
    const name = text.replace(/^SIG/, "");
    const offset = /^(?:RTMIN\+|RTMAX-)(\d+)$/.exec(name)?.[1];
    return (
      (signals as readonly string[]).includes(name) || (offset !== undefined && Number(offset) <= 30) || (text !== "0" && isBelow(65, text))
    );
  },
  hint: (text) =>
    didYouMean(
      text,
      signals.map((name) => `SIG${name}`),
    ),
});

/** What a resource limit counts: systemd takes units for sizes and times (rlimit_parse in its basic/rlimit-util.c). */
const limits = {
  count: { expected: "SOFT[:HARD] in whole numbers, or infinity", part: /^(?:\d+|0[xob][0-9a-f]+)$/i },
  size: { expected: "SOFT[:HARD] in bytes, or with K, M, G, T, or infinity", part: /^\d[\d.\sKMGTPEB]*$/ },
  seconds: { expected: "SOFT[:HARD] in seconds, or with another unit such as min, or infinity", part: /^\d[\d.\sa-zµμ]*$/i },
  microseconds: { expected: "SOFT[:HARD] in microseconds, or with another unit such as ms, or infinity", part: /^\d[\d.\sa-zµμ]*$/i },
  nice: {
    expected: "SOFT[:HARD] as nice levels such as +5 or -10, or as raw limits from 0 to 40",
    part: /^(?:\+1?\d|-(?:1?\d|20)|0|[1-3]?[1-9]|[1-4]0)$/,
  },
} as const;

/** One of setrlimit(2)'s limits. */
export function limit(of: keyof typeof limits): Kind {
  const { expected, part } = limits[of];
  const kind = pattern({
    expected,
    type: 'number | "infinity" | (string & {})',
    example: of === "nice" ? "+5" : 1024,
    test: (text) => {
      const parts = text.split(":").map((given) => given.trim());
      const [soft = "", hard = soft] = parts;
      const isOrdered = !/^\d+$/.test(soft) || !/^\d+$/.test(hard) || Number(soft) <= Number(hard);
      return parts.length <= 2 && parts.every((given) => (given === "infinity" && of !== "nice") || part.test(given)) && isOrdered;
    },
    hint: (text) => (/^\d+\s*:\s*\d+$/.test(text) ? "SOFT may not be above HARD" : undefined),
  });
  return { ...kind, read: (value) => kind.read(value === Number.POSITIVE_INFINITY && of !== "nice" ? "infinity" : value) };
}

/** The CPUs of the kernel that systemd knows of (CPU_SET_MAX_NCPU in its shared/cpu-set-util.c). */
const maxCpus = 8192;

export const cpuList: Kind = {
  expected: "numbers of CPUs and ranges of them, such as 0-3,6, or a list of numbers",
  type: "number | string | readonly number[]",
  example: "0-3",
  read: (value) => {
    const items = (Array.isArray(value) ? Array.from(value) : [value]).map((item) => scalarText(item, cpuList.expected));
    const wrong = items.find((item) => typeof item !== "string");
    if (wrong !== undefined) return wrong;
    const text = items.join(",");
    const groups = text.split(/[\s,]+/).filter((group) => group !== "");
    const isGroup = (group: string): boolean => /^\d+(?:-\d+)?$/.test(group) && group.split("-").every((cpu) => Number(cpu) < maxCpus);
    return groups.every(isGroup) ? text : new WrongValue(cpuList.expected, value);
  },
};

export const callFilter: Kind = pattern({
  expected: "names of system calls or @groups, separated by spaces; ~ at the start denies them",
  example: "~@mount bpf",
  test: (text) => wordsOf(text).every((word) => /^@?[\w-]+(?::[\w-]+)?$/.test(word)),
});

export const addressFamilies: Kind = pattern({
  expected: "names of address families (AF_…), separated by spaces, none, or nothing to allow all; ~ at the start denies them",
  example: "AF_INET AF_INET6 AF_UNIX",
  test: (text) => text === "none" || wordsOf(text).every((word) => /^AF_[A-Z0-9_]+$/.test(word)),
});

const wordsOf = (text: string): readonly string[] => splitWords(text.replace(/^~/, ""));

/** Arguments: quoted in the setting's text where they need it, so that what an image says is read back as it was. */
export const argument: Kind = {
  expected: "arguments: an array, or one text with spaces between them and quotes around those that have spaces",
  type: "string",
  example: ["--unit=rescue.target"],
  read: (value) => {
    const text = scalarText(value, argument.expected);
    return typeof text === "string" ? quoteWord(text) : text;
  },
  split: splitQuoted,
};

const isUid = (text: string): boolean => isBelow(0xffffffff, text);

/** Forms of PrivateUsers besides its words. */
export const uidRange = {
  expected: "UID[:COUNT]",
  type: "number | (string & {})",
  test: (text: string): boolean => {
    const [uid = "", count = "65536", ...more] = text.split(":");
    return isUid(uid) && isUid(count) && Number(count) > 0 && more.length === 0;
  },
};
