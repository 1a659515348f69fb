import { closeSync, openSync, readSync, statSync } from "node:fs";
import { SocketAddress } from "node:net";

/** The network of a machine: that of the host, or one of its own, with the addresses that others may know it by, IPv4 first. */
export type MachineNetwork = { readonly kind: "host" } | { readonly kind: "own"; readonly addresses: readonly string[] };

/**
 * The network that a process is in, without rights and without starting a program; undefined if the process has ended.
 * @param leader a machine's first process, in the host's numbers
 */
export function networkOf(leader: number): MachineNetwork | undefined {
  try {
    // The kernel has a file of its own for each network. The namespace itself (ns/net) is shown to root only.
    const [own, theirs] = ["self", leader].map((process) => statSync(`/proc/${process}/net/dev`).ino);
    if (own === theirs) return { kind: "host" };
    const ipv4 = localIPv4(readStart(`/proc/${leader}/net/fib_trie`));
    return { kind: "own", addresses: [...ipv4, ...localIPv6(readIPv6(leader))] };
  } catch {
    return undefined;
  }
}

/**
 * Addresses in the text of /proc/PID/net/fib_trie, but for those of the loopback (127/8) and of the link (169.254/16). An address of a machine
 * itself is a leaf of 32 bits that is LOCAL:
 * ```
 *            |-- 192.0.2.2
 *               /32 host LOCAL
 * ```
 */
export function localIPv4(text: string): readonly string[] {
  const found = new Set<string>();
  let leaf = "";
  for (const line of text.split("\n")) {
    leaf = /^\s*\|-- (\d+\.\d+\.\d+\.\d+)$/.exec(line)?.[1] ?? leaf;
    if (/^\s*\/32 host LOCAL$/.test(line) && !/^(127\.|169\.254\.)/.test(leaf)) found.add(leaf);
  }
  return [...found].flatMap((address) => canonical(address, "ipv4"));
}

/**
 * Addresses in the text of /proc/PID/net/if_inet6 that are known beyond the host and the link, and are in use: not tentative, given up as
 * a duplicate, or deprecated, as machinectl(1) has it. A line: address, index of the interface, length of the prefix, scope, flags, name.
 * ```
 * fd000000000000000000000000000002 04 40 00 82     eth0
 * ```
 */
export function localIPv6(text: string): readonly string[] {
  const found = text.split("\n").flatMap((line) => {
    const [, address = "", scope = "", flags = ""] = /^([0-9a-f]{32}) [0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+)\s+\S+$/.exec(line) ?? [];
    if (address === "" || narrowScopes.has(Number.parseInt(scope, 16)) || Number.parseInt(flags, 16) & unusable) return [];
    return canonical((address.match(/.{4}/g) ?? []).join(":"), "ipv6");
  });
  return [...new Set(found)];
}

/** IPV6_ADDR_LOOPBACK and IPV6_ADDR_LINKLOCAL of the kernel's net/ipv6.h. */
const narrowScopes: ReadonlySet<number> = new Set([0x10, 0x20]);
/** IFA_F_TENTATIVE, IFA_F_DEPRECATED and IFA_F_DADFAILED of linux/if_addr.h. */
const unusable = 0x40 | 0x20 | 0x08;

/** As inet_ntop(3) writes it; nothing if it is none. */
function canonical(address: string, family: "ipv4" | "ipv6"): readonly string[] {
  try {
    return [new SocketAddress({ address, family }).address];
  } catch {
    return [];
  }
}

/** A kernel may have no IPv6. */
function readIPv6(leader: number): string {
  try {
    return readStart(`/proc/${leader}/net/if_inet6`);
  } catch {
    return "";
  }
}

/** Bytes of a table that are read: a machine's root may fill those of its network with millions of lines. */
const longestTable = 1 << 18;

function readStart(path: string): string {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(longestTable);
    let length = 0;
    // The kernel gives a page at a time.
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = readSync(file, buffer, length, buffer.length - length, null);
    return buffer.toString("latin1", 0, length);
  } finally {
    closeSync(file);
  }
}
