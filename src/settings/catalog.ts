/**
 * All systemd.nspawn settings: the only place that knows them. Sources: systemd.nspawn(5) for sections and names,
 * systemd-nspawn(1) for options. `since` is the version of systemd that brought the option.
 *
 * `form` says how values become options:
 * - `flag`: the option stands alone for true and is left out for false (there is no "no" form)
 * - `bool`: `--option=yes` or `--option=no`
 * - `value`: `--option=VALUE`
 * - `boolValue`: a value that may also be a boolean, `--option=yes|no|VALUE`
 * - `each`: a list, one option for each item
 * - `comma`: the same; a .nspawn file has them on one line, separated by spaces, and so may a text
 * - `space`: the same, but a text stays whole: `~` at its start denies all that is in it
 * - `separate`: `-o VALUE` as two arguments, where the long name changed over the versions
 * - `rlimit`: `--rlimit=RLIMIT_X=VALUE`
 * - `positional`: arguments after all options
 */
export type Form = "flag" | "bool" | "value" | "boolValue" | "each" | "comma" | "space" | "separate" | "rlimit" | "positional";

/** Whether an image may set it without a grant: "allow-list" means that only deny lists (`~…`) may. */
type Privilege = "no" | "yes" | "allow-list";

export type SettingRow = {
  readonly section: "Exec" | "Files" | "Network" | "option";
  readonly option: string;
  readonly since: number;
  readonly form: Form;
  readonly privileged: Privilege;
  /** What a value looks like, for people. */
  readonly value: string;
};

function row<const F extends Form>(
  section: SettingRow["section"],
  option: string,
  since: number,
  form: F,
  privileged: Privilege,
  value: string,
): SettingRow & { readonly form: F } {
  return { section, option, since, form, privileged, value };
}

function limit(name: string): SettingRow & { readonly form: "rlimit" } {
  return row("Exec", `--rlimit=RLIMIT_${name}`, 239, "rlimit", "yes", "SOFT[:HARD] or infinity");
}

export const catalog = {
  Boot: row("Exec", "--boot", 226, "flag", "no", "boolean; excludes ProcessTwo"),
  Ephemeral: row("Exec", "--ephemeral", 240, "flag", "yes", "boolean"),
  ProcessTwo: row("Exec", "--as-pid2", 229, "flag", "no", "boolean; excludes Boot"),
  Parameters: row("Exec", "", 226, "positional", "no", "list of arguments"),
  Environment: row("Exec", "--setenv", 226, "each", "no", "NAME=value"),
  User: row("Exec", "-u", 226, "separate", "no", "user name in the image"),
  WorkingDirectory: row("Exec", "--chdir", 229, "value", "no", "absolute path in the image"),
  PivotRoot: row("Exec", "--pivot-root", 233, "value", "no", "path or new:old"),
  Capability: row("Exec", "--capability", 226, "comma", "yes", "list of capabilities, or all"),
  AmbientCapability: row("Exec", "--ambient-capability", 248, "comma", "yes", "list of capabilities; not with Boot"),
  DropCapability: row("Exec", "--drop-capability", 226, "comma", "no", "list of capabilities, or all"),
  NoNewPrivileges: row("Exec", "--no-new-privileges", 239, "bool", "no", "boolean"),
  KillSignal: row("Exec", "--kill-signal", 230, "value", "no", "signal name"),
  Personality: row("Exec", "--personality", 226, "value", "no", "x86 or x86-64"),
  MachineID: row("Exec", "--uuid", 226, "value", "yes", "128-bit id in hexadecimal"),
  PrivateUsers: row("Exec", "--private-users", 230, "boolValue", "yes", "no, yes, pick, identity, managed (258), UID[:COUNT]"),
  PrivateUsersDelegate: row("Exec", "--private-users-delegate", 260, "value", "yes", "0 to 16; needs PrivateUsers=managed"),
  NotifyReady: row("Exec", "--notify-ready", 231, "bool", "no", "boolean"),
  SystemCallFilter: row("Exec", "--system-call-filter", 235, "space", "allow-list", "list of system calls or @groups; ~ denies"),
  RestrictAddressFamilies: row("Exec", "--restrict-address-families", 261, "space", "no", "list of address families; ~ denies"),
  LimitCPU: limit("CPU"),
  LimitFSIZE: limit("FSIZE"),
  LimitDATA: limit("DATA"),
  LimitSTACK: limit("STACK"),
  LimitCORE: limit("CORE"),
  LimitRSS: limit("RSS"),
  LimitNOFILE: limit("NOFILE"),
  LimitAS: limit("AS"),
  LimitNPROC: limit("NPROC"),
  LimitMEMLOCK: limit("MEMLOCK"),
  LimitLOCKS: limit("LOCKS"),
  LimitSIGPENDING: limit("SIGPENDING"),
  LimitMSGQUEUE: limit("MSGQUEUE"),
  LimitNICE: limit("NICE"),
  LimitRTPRIO: limit("RTPRIO"),
  LimitRTTIME: limit("RTTIME"),
  OOMScoreAdjust: row("Exec", "--oom-score-adjust", 239, "value", "yes", "-1000 to 1000"),
  CPUAffinity: row("Exec", "--cpu-affinity", 239, "value", "yes", "CPU list"),
  Hostname: row("Exec", "--hostname", 239, "value", "no", "host name"),
  ResolvConf: row("Exec", "--resolv-conf", 239, "value", "no", "off, {copy,replace,bind}-{host,static,uplink,stub}, delete, auto"),
  Timezone: row("Exec", "--timezone", 239, "value", "no", "off, copy, bind, symlink, delete, auto"),
  LinkJournal: row("Exec", "--link-journal", 239, "value", "yes", "no, host, try-host, guest, try-guest, auto"),
  SuppressSync: row("Exec", "--suppress-sync", 250, "bool", "no", "boolean"),
  ReadOnly: row("Files", "--read-only", 226, "flag", "no", "boolean"),
  Volatile: row("Files", "--volatile", 226, "boolValue", "no", "boolean, state or overlay"),
  Bind: row("Files", "--bind", 226, "each", "yes", "SOURCE[:TARGET[:OPTIONS]]"),
  BindReadOnly: row("Files", "--bind-ro", 226, "each", "yes", "SOURCE[:TARGET[:OPTIONS]]"),
  BindUser: row("Files", "--bind-user", 249, "each", "yes", "user name"),
  BindUserShell: row("Files", "--bind-user-shell", 258, "boolValue", "yes", "boolean or path"),
  TemporaryFileSystem: row("Files", "--tmpfs", 226, "each", "yes", "PATH[:OPTIONS]"),
  Inaccessible: row("Files", "--inaccessible", 242, "each", "yes", "path"),
  Overlay: row("Files", "--overlay", 233, "each", "yes", "LOWER[:LOWER…]:UPPER:TARGET"),
  OverlayReadOnly: row("Files", "--overlay-ro", 233, "each", "yes", "LOWER[:LOWER…]:TARGET"),
  PrivateUsersOwnership: row("Files", "--private-users-ownership", 249, "value", "yes", "off, chown, map, foreign (258), auto"),
  PrivateUsersChown: row("Files", "--private-users-chown", 230, "flag", "yes", "boolean; old name of PrivateUsersOwnership=chown"),
  Private: row("Network", "--private-network", 226, "flag", "yes", "boolean"),
  NamespacePath: row("Network", "--network-namespace-path", 236, "value", "yes", "path; excludes the other network settings"),
  VirtualEthernet: row("Network", "--network-veth", 226, "flag", "yes", "boolean"),
  VirtualEthernetExtra: row("Network", "--network-veth-extra", 228, "each", "yes", "HOST[:CONTAINER]"),
  Interface: row("Network", "--network-interface", 226, "each", "yes", "HOST[:CONTAINER]"),
  MACVLAN: row("Network", "--network-macvlan", 226, "each", "yes", "HOST[:CONTAINER]"),
  IPVLAN: row("Network", "--network-ipvlan", 226, "each", "yes", "HOST[:CONTAINER]"),
  Bridge: row("Network", "--network-bridge", 226, "value", "yes", "interface"),
  Zone: row("Network", "--network-zone", 230, "value", "yes", "zone name"),
  Port: row("Network", "--port", 226, "each", "yes", "[tcp:|udp:]HOST[:CONTAINER]"),
  Quiet: row("option", "--quiet", 209, "flag", "no", "boolean"),
  KeepUnit: row("option", "--keep-unit", 209, "flag", "no", "boolean"),
  Register: row("option", "--register", 209, "bool", "no", "boolean"),
  Slice: row("option", "--slice", 206, "value", "yes", "slice name"),
  Property: row("option", "--property", 220, "each", "yes", "NAME=value"),
  Console: row("option", "--console", 242, "value", "no", "interactive, read-only, passive, pipe, autopipe (248)"),
  AutoPrivateUsers: row("option", "-U", 230, "flag", "yes", "boolean"),
  LoadCredential: row("option", "--load-credential", 247, "each", "yes", "ID:PATH"),
  SetCredential: row("option", "--set-credential", 247, "each", "yes", "ID:VALUE"),
  Cleanup: row("option", "--cleanup", 257, "flag", "no", "boolean"),
  ForwardJournal: row("option", "--forward-journal", 261, "value", "yes", "path or address"),
  BindUserGroup: row("option", "--bind-user-group", 259, "each", "yes", "group name"),
  SELinuxContext: row("option", "--selinux-context", 209, "value", "yes", "label"),
  SELinuxApifsContext: row("option", "--selinux-apifs-context", 209, "value", "yes", "label"),
} as const satisfies Readonly<Record<string, SettingRow>>;

export type Catalog = typeof catalog;
export type SettingName = keyof Catalog;

/** The row of a setting, or undefined if there is none of this name. */
export function rowOf(name: string): SettingRow | undefined {
  return Object.hasOwn(catalog, name) ? (catalog as Readonly<Record<string, SettingRow>>)[name] : undefined;
}

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(catalog, name);
}

/** Whether values of a setting add up over an image's ancestors, rather than the nearest one winning. */
export function isList(name: SettingName): boolean {
  const { form } = catalog[name];
  return form === "each" || form === "comma" || form === "space" || form === "positional";
}
