import { catalog, isList, type SettingName } from "./catalog.js";
import type { Setting } from "./merge.js";

/** Settings that systemd-nspawn refuses to take together, or without another. */
export type Contradiction = {
  /** Those that contradict each other, with their origins, or the one that lacks another. */
  readonly settings: readonly Setting[];
  /** Such as `Boot and ProcessTwo exclude each other`. */
  readonly message: string;
  /** What would be right, where that is more than to leave one of them out. */
  readonly hint: string | undefined;
};

/**
 * What systemd-nspawn would refuse of settings that are right one by one (verify_arguments in nspawn.c of systemd 252 to 262).
 * @param complete whether these are all settings of a machine. If not, those of a single script, only what no other script or image
 *   can make right is told: what excludes each other, but not what lacks something
 * @param version of the host's systemd, where it is known: 258 has lifted a restriction
 */
export function contradictions(settings: readonly Setting[], complete: boolean, version = 0): readonly Contradiction[] {
  const given = new Given(settings);
  const found = [...exclusions(given), ...(complete ? lacks(given, version) : [])];
  return found.filter((each): each is Contradiction => each !== undefined);
}

/** The settings that have an effect: of a single one the last counts, as in systemd-nspawn's options. */
class Given {
  readonly #settings: readonly Setting[];

  constructor(settings: readonly Setting[]) {
    this.#settings = settings;
  }

  /** Those of these names that are not "no" or "off". */
  all(...names: readonly SettingName[]): readonly Setting[] {
    return names.flatMap((name) => {
      const values = this.#settings.filter((setting) => setting.name === name);
      const counting = isList(name) ? values : values.slice(-1);
      return counting.filter(({ value }) => value !== "no" && value !== "off");
    });
  }

  /** The setting, if it has one of these values. */
  one(name: SettingName, ...values: readonly string[]): Setting | undefined {
    return this.all(name).find(({ value }) => values.length === 0 || values.includes(value));
  }

  /** The machine's unit is its scope; in a scope of its own it would be out of reach of the unit's limits. */
  get keepsNoUnit(): Contradiction | undefined {
    const setting = this.#last(({ name }) => name === "KeepUnit");
    if (setting?.value !== "no") return undefined;
    return { settings: [setting], message: "KeepUnit cannot be off: the machine's unit is its scope", hint: "delete it" };
  }

  /** What gives the machine a network of its own. */
  get ownNetwork(): readonly Setting[] {
    return this.all("Private", ...interfaceSettings);
  }

  /** What makes users of the machine others on the host. */
  get ownUsers(): Setting | undefined {
    const users = this.#last(({ name, value }) => name === "PrivateUsers" || (name === "AutoPrivateUsers" && value === "yes"));
    return users?.value === "no" ? undefined : users;
  }

  /** What says how files get to belong to users of the machine: by an option of two names, of which the last counts. */
  get ownership(): Setting | undefined {
    const last = this.#last(({ name, value }) => name === "PrivateUsersOwnership" || (name === "PrivateUsersChown" && value === "yes"));
    return last?.value === "off" ? undefined : last;
  }

  get rootMount(): Setting | undefined {
    return this.#settings.find(({ name, value }) => catalog[name].kind.about?.(value) === "mount /");
  }

  #last(isMeant: (setting: Setting) => boolean): Setting | undefined {
    return this.#settings.filter(isMeant).at(-1);
  }
}

const interfaceSettings = ["VirtualEthernet", "VirtualEthernetExtra", "Interface", "MACVLAN", "IPVLAN", "Bridge", "Zone"] as const;

function exclusions(given: Given): readonly (Contradiction | undefined)[] {
  const boot = given.one("Boot");
  const { ownership } = given;
  const chown = ownership?.name === "PrivateUsersChown" || ownership?.value === "chown" ? ownership : undefined;
  const ambient = given.all("AmbientCapability");
  return [
    given.keepsNoUnit,
    exclude(boot, given.one("ProcessTwo")),
    exclude(boot, ambient[0]),
    exclude(given.one("Ephemeral"), given.one("LinkJournal", "host", "guest"), "LinkJournal: try-host and try-guest go with Ephemeral"),
    exclude(
      chown,
      given.one("ReadOnly") ?? given.one("Volatile") ?? given.rootMount,
      "the files of a read-only root cannot be given to other users",
    ),
    exclude(given.one("NamespacePath"), given.all(...interfaceSettings)[0]),
    exclude(given.one("Bridge"), given.one("Zone")),
    ...ambient.map((setting) => exclude(setting, dropOf(given, setting))),
    exclude(
      shiftedUsers(given),
      given.rootMount,
      "with a mount on / PrivateUsers has to name UID:COUNT, and PrivateUsersOwnership has to be off",
    ),
  ];
}

function lacks(given: Given, version: number): readonly (Contradiction | undefined)[] {
  const users = given.ownUsers;
  const isManaged = users?.name === "PrivateUsers" && users.value === "managed";
  const network = given.ownNetwork.length > 0;
  const delegate = given.all("PrivateUsersDelegate").find(({ value }) => value !== "0");
  const bindUser = given.one("BindUser");
  return [
    network
      ? undefined
      : lack(given.one("Port"), "a network of the machine's own", "add VirtualEthernet: true, or another network setting"),
    network || !isManaged ? undefined : lack(users, "a network of the machine's own", "add Private: true, or another network setting"),
    isManaged ? undefined : lack(delegate, "PrivateUsers=managed", 'add PrivateUsers: "managed"'),
    users || version >= 258 ? undefined : lack(bindUser, "PrivateUsers", 'add PrivateUsers: "pick"'),
    bindUser ? undefined : lack(given.one("BindUserShell") ?? given.one("BindUserGroup"), "BindUser", "name users in BindUser"),
    ...given.all("AmbientCapability").map((setting) => lackOfCapability(given, setting, network)),
  ];
}

function exclude(one: Setting | undefined, other: Setting | undefined, hint?: string): Contradiction | undefined {
  if (!one || !other) return undefined;
  return { settings: [one, other], message: `${show(one)} and ${show(other)} exclude each other`, hint };
}

function lack(setting: Setting | undefined, needed: string, hint: string): Contradiction | undefined {
  return setting && { settings: [setting], message: `${show(setting)} needs ${needed}`, hint };
}

/** A setting as it is in messages: what is only switched on goes without a value. */
function show({ name, value }: Setting): string {
  return value === "yes" ? name : `${name}=${value}`;
}

/** Private users whose numbers systemd-nspawn chooses, or whose files it would have to change: it cannot where / is mounted on. */
function shiftedUsers(given: Given): Setting | undefined {
  const users = given.ownUsers;
  if (!users) return undefined;
  const isChosen = users.name === "AutoPrivateUsers" || ["yes", "pick", "managed"].includes(users.value);
  return isChosen ? users : given.ownership;
}

const sameCapability = (one: string, other: string): boolean => one.toUpperCase() === other.toUpperCase();

function dropOf(given: Given, { value }: Setting): Setting | undefined {
  return given.all("DropCapability").find((drop) => drop.value === "all" || sameCapability(drop.value, value));
}

/** Capabilities that systemd-nspawn leaves to every machine (systemd-nspawn(1), --capability=). */
const usualCapabilities = new Set([
  ...["CAP_AUDIT_CONTROL", "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID"],
  ...["CAP_IPC_OWNER", "CAP_KILL", "CAP_LEASE", "CAP_LINUX_IMMUTABLE", "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST"],
  ...["CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_CHROOT"],
  ...["CAP_SYS_NICE", "CAP_SYS_PTRACE", "CAP_SYS_RESOURCE", "CAP_SYS_TTY_CONFIG"],
]);

function lackOfCapability(given: Given, setting: Setting, network: boolean): Contradiction | undefined {
  const name = setting.value.toUpperCase();
  const isKept = given.all("Capability").some(({ value }) => value === "all" || sameCapability(value, name));
  // A number names a capability, too: whatever it is, systemd-nspawn knows.
  if (isKept || usualCapabilities.has(name) || (network && name === "CAP_NET_ADMIN") || /^\d+$/.test(name)) return undefined;
  return lack(setting, `Capability=${name}`, `add Capability: ${JSON.stringify(name)}`);
}
