import type { Config } from "../config/config.js";
import { scriptConfig } from "./record.js";
import { type ArchitectureNaming, architecture } from "./tool/architecture.js";
import { type ConfigName, type ConfigValue, configValue } from "./tool/config-value.js";
import { buildEpoch, buildStamp, dateDash, dateDots, datePath, dateTimeIso } from "./tool/dates.js";
import { interfaceList, selectInterface } from "./tool/interfaces.js";
import { tempFolders } from "./tool/temp-folder.js";
import { toolError } from "./tool/tool-error.js";

export type { ArchitectureNaming } from "./tool/architecture.js";
export type { ConfigName, ConfigValue } from "./tool/config-value.js";

/** Helpers for scripts. All of them only look, but for `tempDir`. Dates are in UTC. */
export type Tool = {
  /**
   * Names of the host's network interfaces that are up and have a global address: those of the default routes first, each once,
   * without the loopback.
   */
  readonly interfaceList: () => readonly string[];

  /**
   * The first of `interfaceList`, or the first whose name `pattern` finds, such as `/^en/`.
   *
   * `WITH({ MACVLAN: TOOL.selectInterface() })`
   * @throws an error at the script's line, with the interfaces that there are, if none is right
   */
  readonly selectInterface: (pattern?: RegExp) => string;

  /** Whether one of the servers of `network/check_host_list` answers, each within `network/check_timeout` seconds. Asked once. */
  readonly hasInternet: () => Promise<boolean>;

  /** The address that this host has in the internet, IPv4 or IPv6, as those servers see it; undefined if none answers. Asked once. */
  readonly publicAddress: () => Promise<string | undefined>;

  /** Whether this host is an instance of Amazon's EC2: its metadata service answers within `network/check_timeout`. Asked once. */
  readonly hasAmazon: () => Promise<boolean>;

  /** The public IPv4 address of this instance of Amazon's EC2; undefined if it has none, or is none. Asked once. */
  readonly amazonPublicAddress: () => Promise<string | undefined>;

  /**
   * The day to name images after, at midnight: that of the environment variable NSPAWN_BUILD_EPOCH, else the first of the month (or its
   * `day`, 1 to 28) of `instant`, which is now by default. So names of images change once a month, and a build can be repeated.
   *
   * NSPAWN_BUILD_EPOCH takes `2026-11-23`, a date and time of ISO 8601 or seconds since 1970, and counts as it is.
   */
  readonly buildEpoch: (instant?: Date, day?: number) => Date;

  /** `20261123-230003-123456`: the date and time of `instant`, by default now, down to microseconds; for what is never the same. */
  readonly buildStamp: (instant?: Date) => string;

  /** `20261123T230003`; without a date, that of `buildEpoch()`. */
  readonly dateTimeIso: (date?: Date) => string;

  /** `2026/11/23`; without a date, that of `buildEpoch()`. */
  readonly datePath: (date?: Date) => string;

  /** `2026-11-23`; without a date, that of `buildEpoch()`. */
  readonly dateDash: (date?: Date) => string;

  /** `2026.11.23`; without a date, that of `buildEpoch()`. */
  readonly dateDots: (date?: Date) => string;

  /**
   * A new private folder (mode 0700) for the script's own use. It is removed when the command ends; after Ctrl-C in the script, by the next one that makes a folder.
   * The only helper that writes: it does so with `--plan`, too.
   */
  readonly tempDir: () => string;

  /**
   * A value of the configuration by section and key as in config.ini: `TOOL.config("storage/root")`. Passwords are not among them.
   * @throws an error at the script's line, for an unknown name
   */
  readonly config: <N extends ConfigName>(name: N) => ConfigValue<N>;

  /** The host's architecture: Debian's name (`amd64`, `arm64`, `armhf`, …), or with `"kernel"` that of uname(1) (`x86_64`, `aarch64`, …). */
  readonly architecture: (naming?: ArchitectureNaming) => string;
};

/** Helpers for scripts: network interfaces, internet and cloud addresses, dates for names of images, a temporary folder, the configuration. */
export const TOOL: Tool = createTool();

function createTool(): Tool {
  // Loaded when they are asked for: few scripts look into the network, and all of them wait for what is imported here.
  const findAddress = once(async () => {
    const { checkHostList, checkTimeout } = configFor("publicAddress").network;
    const { findPublicAddress } = await import("./tool/public-address.js");
    return findPublicAddress({ urls: checkHostList, timeoutSeconds: checkTimeout });
  });
  const findAmazon = once(async () => {
    const { checkTimeout } = configFor("hasAmazon").network;
    const { findAmazonInstance } = await import("./tool/public-address.js");
    return findAmazonInstance(checkTimeout);
  });
  return {
    interfaceList: () => interfaceList(),
    selectInterface: (pattern) => selectInterface(pattern),
    hasInternet: async () => (await findAddress()) !== undefined,
    publicAddress: async () => findAddress(),
    hasAmazon: async () => (await findAmazon()) !== undefined,
    amazonPublicAddress: async () => (await findAmazon())?.publicAddress,
    buildEpoch,
    buildStamp,
    dateTimeIso,
    datePath,
    dateDash,
    dateDots,
    tempDir: tempFolders(),
    config: (name) => configValue(configFor("config"), name),
    architecture,
  };
}

/** The configuration of the command that runs the script: outside of one there is none. */
function configFor(name: string): Config {
  const config = scriptConfig();
  if (config) return config;
  throw toolError(name, "called outside of a script", "run the script by nspawn-build or nspawn-setup");
}

/** Asks once in the life of a process, and remembers the answer. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
