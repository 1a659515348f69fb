import { type Kind, pattern, splitWords } from "./kind.js";

const interfaceName = "an interface: 15 characters at most, no spaces, colons, slashes or %";

/** As systemd takes it (ifname_valid_full in its basic/socket-util.c). */
function isInterface(text: string): boolean {
  return /^[!-$&-.0-9;-~]{1,15}$/.test(text) && !/^\d+$/.test(text) && ![".", "..", "all", "default"].includes(text);
}

export const hostInterface: Kind = pattern({ expected: interfaceName, example: "br0", test: isInterface });

const pair = {
  expected: `HOST[:CONTAINER], each the name of ${interfaceName}`,
  test: (text: string): boolean => {
    const [host = "", guest = "", ...more] = text.split(":");
    return isInterface(host) && (guest === "" ? !text.includes(":") : isInterface(guest)) && more.length === 0;
  },
} as const;

/** An interface of the host, and its name in the machine, which systemd-nspawn takes since 253. */
export const hostInterfaces: Kind = pattern({
  ...pair,
  example: ["eth0"],
  split: splitWords,
  since: (text) => (text.includes(":") ? 253 : 0),
});

/** Both ends of a new link. */
export const linkEnds: Kind = pattern({ ...pair, example: "ve-db:db0" });

/** systemd-nspawn names the zone's bridge `vz-ZONE`. */
export const zone: Kind = pattern({
  expected: "the name of a zone: 1 to 12 characters, no spaces, colons, slashes or %",
  example: "web",
  test: (text) => text !== "" && isInterface(`vz-${text}`),
});

const isPort = (text: string): boolean => /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;

export const port: Kind = pattern({
  expected: "[tcp:|udp:]HOST[:CONTAINER], ports from 1 to 65535",
  type: "string | number",
  example: "tcp:8080:80",
  test: (text) => {
    const [host = "", guest = host, ...more] = text.replace(/^(?:tcp|udp):/, "").split(":");
    return isPort(host) && isPort(guest) && more.length === 0;
  },
  hint: (text) => (/^\d+[:/](?:tcp|udp)$/i.test(text) ? "the protocol comes first: tcp:8080:80" : undefined),
  about: (text) => {
    const [protocol = "", host = ""] = /^(?:tcp|udp):/.test(text) ? text.split(":") : ["tcp", text.split(":")[0]];
    return `port ${protocol}:${Number(host)}`;
  },
});
