// Written by scripts/generate from src/settings/catalog: do not edit.
import type { BindSpec, OverlaySpec, ReadOnly, TemporaryFileSystemSpec } from "./kinds/mount.js";
import type { CapabilityName, SignalName } from "./kinds/process.js";
import type { BooleanText } from "./kinds/words.js";

/** What WITH takes: settings of systemd.nspawn(5) under their own names; `null` takes away what an image has set. */
export type Settings = {
  /**
   * Boots the image: its init runs as the first process. Not with ProcessTwo, nor with EXEC; arguments of init go into Parameters.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --boot, since systemd 226; images may set it.
   *
   * @example Boot: true
   */
  readonly Boot?: boolean | BooleanText | null;
  /**
   * What the machine writes is gone when it stops, as with the state volatile; refused beside keep.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --ephemeral, since systemd 240; images need a grant.
   *
   * @example Ephemeral: true
   */
  readonly Ephemeral?: boolean | BooleanText | null;
  /**
   * Runs the command as process 2, below a small init that reaps processes and passes signals on. Not with Boot.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --as-pid2, since systemd 229; images may set it.
   *
   * @example ProcessTwo: true
   */
  readonly ProcessTwo?: boolean | BooleanText | null;
  /**
   * Arguments of init where the machine boots; otherwise the command, if there is no EXEC.
   *
   * Takes one or several: arguments: an array, or one text with spaces between them and quotes around those that have spaces.
   * Arguments at the end, since systemd 226; images may set it.
   *
   * @example Parameters: ["--unit=rescue.target"]
   */
  readonly Parameters?: string | readonly string[] | null;
  /**
   * Variables in the environment of the first process, and of RUN and SH in builds. Of one variable the nearest value counts.
   *
   * Takes one or several: NAME=value or { NAME: value }.
   * --setenv=…, since systemd 226; images may set it.
   *
   * @example Environment: { TZ: "UTC" }
   */
  readonly Environment?: string | readonly string[] | Readonly<Record<string, string | number | boolean>> | null;
  /**
   * Runs the command as this user of the image.
   *
   * Takes a user of the image, by name or number.
   * -u …, since systemd 226; images may set it.
   *
   * @example User: "root"
   */
  readonly User?: string | number | null;
  /**
   * The folder that the command starts in, and RUN and SH in builds.
   *
   * Takes an absolute path in the image.
   * --chdir=…, since systemd 229; images may set it.
   *
   * @example WorkingDirectory: "/srv"
   */
  readonly WorkingDirectory?: string | null;
  /**
   * Makes NEW the machine's root; the root that was before appears at OLD, or is unmounted.
   *
   * Takes NEW or NEW:OLD, absolute paths in the image without . or .. in them.
   * --pivot-root=…, since systemd 233; images may set it.
   *
   * @example PivotRoot: "/srv/root"
   */
  readonly PivotRoot?: string | null;
  /**
   * Capabilities that the machine keeps besides the usual ones.
   *
   * Takes one or several: the name of a capability, such as CAP_NET_ADMIN, or all.
   * --capability=…, since systemd 226; images need a grant.
   *
   * @example Capability: ["CAP_NET_ADMIN", "CAP_SYS_PTRACE"]
   */
  readonly Capability?: CapabilityName | "all" | (string & {}) | readonly (CapabilityName | "all" | (string & {}))[] | null;
  /**
   * Capabilities that the command has although it does not run as root; the machine must have them, too. Not with Boot.
   *
   * Takes one or several: the name of a capability, such as CAP_NET_ADMIN.
   * --ambient-capability=…, since systemd 248; images need a grant.
   *
   * @example AmbientCapability: ["CAP_NET_BIND_SERVICE"]
   */
  readonly AmbientCapability?: CapabilityName | (string & {}) | readonly (CapabilityName | (string & {}))[] | null;
  /**
   * Capabilities that are taken from the machine.
   *
   * Takes one or several: the name of a capability, such as CAP_NET_ADMIN, or all.
   * --drop-capability=…, since systemd 226; images may set it.
   *
   * @example DropCapability: ["CAP_NET_ADMIN", "CAP_SYS_PTRACE"]
   */
  readonly DropCapability?: CapabilityName | "all" | (string & {}) | readonly (CapabilityName | "all" | (string & {}))[] | null;
  /**
   * Keeps programs from gaining rights by set-user-ID bits and file capabilities.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --no-new-privileges=…, since systemd 239; images may set it.
   *
   * @example NoNewPrivileges: true
   */
  readonly NoNewPrivileges?: boolean | BooleanText | null;
  /**
   * The signal that asks the first process to end. Without it SIGRTMIN+3 for machines that boot; others are killed.
   *
   * Takes the name of a signal, such as SIGTERM or SIGRTMIN+3, or its number.
   * --kill-signal=…, since systemd 230; images may set it.
   *
   * @example KillSignal: "SIGTERM"
   */
  readonly KillSignal?: SignalName | number | (string & {}) | null;
  /**
   * The architecture that uname(2) reports, such as x86 for a 32-bit image.
   *
   * Takes one of x86, x86-64, or another architecture of the host.
   * --personality=…, since systemd 226; images may set it.
   *
   * @example Personality: "x86-64"
   */
  readonly Personality?: "x86" | "x86-64" | (string & {}) | null;
  /**
   * The machine's ID, which it takes for its /etc/machine-id if that is not set.
   *
   * Takes 32 hexadecimal digits, or a UUID, that are not all zero.
   * --uuid=…, since systemd 226; images need a grant.
   *
   * @example MachineID: "b3f5f3a29d1d4a7a8e0c1f7a5f0d2c11"
   */
  readonly MachineID?: string | null;
  /**
   * Users of the machine are others on the host: from UID on, from a range that is picked, or (yes) from the owner of the machine's root.
   *
   * Takes true, false or one of no, yes, pick, identity, managed (systemd 258), or UID[:COUNT].
   * --private-users=…, since systemd 230; images need a grant.
   *
   * @example PrivateUsers: "pick"
   */
  readonly PrivateUsers?: boolean | BooleanText | "pick" | "identity" | "managed" | number | (string & {}) | null;
  /**
   * How many more ranges of 65536 users the machine gets for machines of its own. Needs PrivateUsers=managed.
   *
   * Takes a whole number from 0 to 16.
   * --private-users-delegate=…, since systemd 260; images need a grant.
   *
   * @example PrivateUsersDelegate: 16
   */
  readonly PrivateUsersDelegate?: number | (string & {}) | null;
  /**
   * The machine counts as started when its first process says so by sd_notify(3), as an init of systemd does.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --notify-ready=…, since systemd 231; images may set it.
   *
   * @example NotifyReady: true
   */
  readonly NotifyReady?: boolean | BooleanText | null;
  /**
   * System calls that are allowed besides the usual ones, or denied (~).
   *
   * Takes one or several: names of system calls or @groups, separated by spaces; ~ at the start denies them.
   * --system-call-filter=…, since systemd 235; images may deny, and need a grant to allow.
   *
   * @example SystemCallFilter: "~@mount bpf"
   */
  readonly SystemCallFilter?: string | readonly string[] | null;
  /**
   * Address families of which the machine may make sockets, or may not (~).
   *
   * Takes one or several: names of address families (AF_…), separated by spaces, none, or nothing to allow all; ~ at the start denies them.
   * --restrict-address-families=…, since systemd 261; images may set it.
   *
   * @example RestrictAddressFamilies: "AF_INET AF_INET6 AF_UNIX"
   */
  readonly RestrictAddressFamilies?: string | readonly string[] | null;
  /**
   * CPU time of a process.
   *
   * Takes SOFT[:HARD] in seconds, or with another unit such as min, or infinity.
   * --rlimit=RLIMIT_CPU=…, since systemd 239; images need a grant.
   *
   * @example LimitCPU: 1024
   */
  readonly LimitCPU?: number | "infinity" | (string & {}) | null;
  /**
   * Size of a file that is written.
   *
   * Takes SOFT[:HARD] in bytes, or with K, M, G, T, or infinity.
   * --rlimit=RLIMIT_FSIZE=…, since systemd 239; images need a grant.
   *
   * @example LimitFSIZE: 1024
   */
  readonly LimitFSIZE?: number | "infinity" | (string & {}) | null;
  /**
   * Size of a process's data.
   *
   * Takes SOFT[:HARD] in bytes, or with K, M, G, T, or infinity.
   * --rlimit=RLIMIT_DATA=…, since systemd 239; images need a grant.
   *
   * @example LimitDATA: 1024
   */
  readonly LimitDATA?: number | "infinity" | (string & {}) | null;
  /**
   * Size of a process's stack.
   *
   * Takes SOFT[:HARD] in bytes, or with K, M, G, T, or infinity.
   * --rlimit=RLIMIT_STACK=…, since systemd 239; images need a grant.
   *
   * @example LimitSTACK: 1024
   */
  readonly LimitSTACK?: number | "infinity" | (string & {}) | null;
  /**
   * Size of a core file.
   *
   * Takes SOFT[:HARD] in bytes, or with K, M, G, T, or infinity.
   * --rlimit=RLIMIT_CORE=…, since systemd 239; images need a grant.
   *
   * @example LimitCORE: 1024
   */
  readonly LimitCORE?: number | "infinity" | (string & {}) | null;
  /**
   * Size of a process in memory; Linux takes no notice of it.
   *
   * Takes SOFT[:HARD] in bytes, or with K, M, G, T, or infinity.
   * --rlimit=RLIMIT_RSS=…, since systemd 239; images need a grant.
   *
   * @example LimitRSS: 1024
   */
  readonly LimitRSS?: number | "infinity" | (string & {}) | null;
  /**
   * Files that a process has open.
   *
   * Takes SOFT[:HARD] in whole numbers, or infinity.
   * --rlimit=RLIMIT_NOFILE=…, since systemd 239; images need a grant.
   *
   * @example LimitNOFILE: 1024
   */
  readonly LimitNOFILE?: number | "infinity" | (string & {}) | null;
  /**
   * Size of a process's address space.
   *
   * Takes SOFT[:HARD] in bytes, or with K, M, G, T, or infinity.
   * --rlimit=RLIMIT_AS=…, since systemd 239; images need a grant.
   *
   * @example LimitAS: 1024
   */
  readonly LimitAS?: number | "infinity" | (string & {}) | null;
  /**
   * Processes and threads of a user.
   *
   * Takes SOFT[:HARD] in whole numbers, or infinity.
   * --rlimit=RLIMIT_NPROC=…, since systemd 239; images need a grant.
   *
   * @example LimitNPROC: 1024
   */
  readonly LimitNPROC?: number | "infinity" | (string & {}) | null;
  /**
   * Memory that a process locks.
   *
   * Takes SOFT[:HARD] in bytes, or with K, M, G, T, or infinity.
   * --rlimit=RLIMIT_MEMLOCK=…, since systemd 239; images need a grant.
   *
   * @example LimitMEMLOCK: 1024
   */
  readonly LimitMEMLOCK?: number | "infinity" | (string & {}) | null;
  /**
   * File locks of a process; Linux takes no notice of it.
   *
   * Takes SOFT[:HARD] in whole numbers, or infinity.
   * --rlimit=RLIMIT_LOCKS=…, since systemd 239; images need a grant.
   *
   * @example LimitLOCKS: 1024
   */
  readonly LimitLOCKS?: number | "infinity" | (string & {}) | null;
  /**
   * Signals that are pending for a user.
   *
   * Takes SOFT[:HARD] in whole numbers, or infinity.
   * --rlimit=RLIMIT_SIGPENDING=…, since systemd 239; images need a grant.
   *
   * @example LimitSIGPENDING: 1024
   */
  readonly LimitSIGPENDING?: number | "infinity" | (string & {}) | null;
  /**
   * Bytes in POSIX message queues of a user.
   *
   * Takes SOFT[:HARD] in bytes, or with K, M, G, T, or infinity.
   * --rlimit=RLIMIT_MSGQUEUE=…, since systemd 239; images need a grant.
   *
   * @example LimitMSGQUEUE: 1024
   */
  readonly LimitMSGQUEUE?: number | "infinity" | (string & {}) | null;
  /**
   * How far a process may raise its priority.
   *
   * Takes SOFT[:HARD] as nice levels such as +5 or -10, or as raw limits from 0 to 40.
   * --rlimit=RLIMIT_NICE=…, since systemd 239; images need a grant.
   *
   * @example LimitNICE: "+5"
   */
  readonly LimitNICE?: number | "infinity" | (string & {}) | null;
  /**
   * Real-time priority that a process may take.
   *
   * Takes SOFT[:HARD] in whole numbers, or infinity.
   * --rlimit=RLIMIT_RTPRIO=…, since systemd 239; images need a grant.
   *
   * @example LimitRTPRIO: 1024
   */
  readonly LimitRTPRIO?: number | "infinity" | (string & {}) | null;
  /**
   * CPU time that a real-time process may take without waiting.
   *
   * Takes SOFT[:HARD] in microseconds, or with another unit such as ms, or infinity.
   * --rlimit=RLIMIT_RTTIME=…, since systemd 239; images need a grant.
   *
   * @example LimitRTTIME: 1024
   */
  readonly LimitRTTIME?: number | "infinity" | (string & {}) | null;
  /**
   * How likely the kernel kills the machine's processes when memory runs out.
   *
   * Takes a whole number from -1000 to 1000.
   * --oom-score-adjust=…, since systemd 239; images need a grant.
   *
   * @example OOMScoreAdjust: 1000
   */
  readonly OOMScoreAdjust?: number | (string & {}) | null;
  /**
   * The CPUs that the machine runs on.
   *
   * Takes numbers of CPUs and ranges of them, such as 0-3,6, or a list of numbers.
   * --cpu-affinity=…, since systemd 239; images need a grant.
   *
   * @example CPUAffinity: "0-3"
   */
  readonly CPUAffinity?: number | string | readonly number[] | null;
  /**
   * The machine's host name, by default its machine name. An /etc/hostname of an image that boots counts before it.
   *
   * Takes a host name: labels of letters, digits and hyphens between dots, 64 characters at most.
   * --hostname=…, since systemd 239; images may set it.
   *
   * @example Hostname: "web.example.org"
   */
  readonly Hostname?: string | null;
  /**
   * Where the machine's /etc/resolv.conf comes from.
   *
   * Takes true, false or one of off, copy-host, copy-static, copy-uplink, copy-stub, replace-host, replace-static, replace-uplink, replace-stub, bind-host, bind-static, bind-uplink, bind-stub, delete, auto.
   * --resolv-conf=…, since systemd 239; images may set it.
   *
   * @example ResolvConf: "bind-host"
   */
  readonly ResolvConf?:
    | boolean
    | BooleanText
    | "copy-host"
    | "copy-static"
    | "copy-uplink"
    | "copy-stub"
    | "replace-host"
    | "replace-static"
    | "replace-uplink"
    | "replace-stub"
    | "bind-host"
    | "bind-static"
    | "bind-uplink"
    | "bind-stub"
    | "delete"
    | "auto"
    | null;
  /**
   * Where the machine's /etc/localtime comes from.
   *
   * Takes true, false or one of off, copy, bind, symlink, delete, auto.
   * --timezone=…, since systemd 239; images may set it.
   *
   * @example Timezone: "bind"
   */
  readonly Timezone?: boolean | BooleanText | "copy" | "bind" | "symlink" | "delete" | "auto" | null;
  /**
   * Whether the host sees the machine's journal, and which of them keeps it.
   *
   * Takes true, false or one of no, host, try-host, guest, try-guest, auto.
   * --link-journal=…, since systemd 239; images need a grant.
   *
   * @example LinkJournal: "try-guest"
   */
  readonly LinkJournal?: boolean | BooleanText | "host" | "try-host" | "guest" | "try-guest" | "auto" | null;
  /**
   * Makes fsync(2) and its kin do nothing: faster, and unsafe for what has to outlive a crash.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --suppress-sync=…, since systemd 250; images may set it.
   *
   * @example SuppressSync: true
   */
  readonly SuppressSync?: boolean | BooleanText | null;
  /**
   * Makes the machine's root read-only.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --read-only, since systemd 226; images may set it.
   *
   * @example ReadOnly: true
   */
  readonly ReadOnly?: boolean | BooleanText | null;
  /**
   * Keeps what the machine writes in memory: all but /usr starts empty (yes), or /var does (state), or all is kept above the image (overlay).
   *
   * Takes true, false or one of no, yes, state, overlay.
   * --volatile=…, since systemd 226; images may set it.
   *
   * @example Volatile: "overlay"
   */
  readonly Volatile?: boolean | BooleanText | "state" | "overlay" | null;
  /**
   * A folder or file of the host that the machine sees. What is not there is made: a folder if SOURCE ends in /, else a file.
   *
   * Takes one or several: SOURCE[:TARGET[:OPTIONS]] or { source, target?, options?, readOnly? }, with absolute paths.
   * --bind=…, since systemd 226; images need a grant.
   *
   * @example Bind: { source: "/srv/web/", target: "/srv/web" }
   */
  readonly Bind?: string | BindSpec | readonly (string | BindSpec)[] | null;
  /**
   * The same, read-only.
   *
   * Takes one or several: SOURCE[:TARGET[:OPTIONS]] or { source, target?, options?, readOnly? }, with absolute paths.
   * --bind-ro=…, since systemd 226; images need a grant.
   *
   * @example BindReadOnly: { source: "/srv/web/", target: "/srv/web" }
   */
  readonly BindReadOnly?: string | ReadOnly<BindSpec> | readonly (string | ReadOnly<BindSpec>)[] | null;
  /**
   * A user of the host who is one in the machine, too, with the home folder. Up to systemd 257 it needs PrivateUsers.
   *
   * Takes one or several: a name of letters, digits, _ and -, 31 characters at most.
   * --bind-user=…, since systemd 249; images need a grant.
   *
   * @example BindUser: "www-data"
   */
  readonly BindUser?: string | readonly string[] | null;
  /**
   * The shell of users of BindUser: that on the host (yes), the machine's default (no), or a path.
   *
   * Takes true, false or one of no, yes, or an absolute path.
   * --bind-user-shell=…, since systemd 258; images need a grant.
   *
   * @example BindUserShell: "/bin/bash"
   */
  readonly BindUserShell?: boolean | BooleanText | (string & {}) | null;
  /**
   * An empty file system in memory.
   *
   * Takes one or several: PATH[:OPTIONS] or { path, options? }, with an absolute path.
   * --tmpfs=…, since systemd 226; images need a grant.
   *
   * @example TemporaryFileSystem: { path: "/var/cache", options: "size=100M" }
   */
  readonly TemporaryFileSystem?: string | TemporaryFileSystemSpec | readonly (string | TemporaryFileSystemSpec)[] | null;
  /**
   * A file or folder of the image that the machine cannot reach.
   *
   * Takes one or several: an absolute path in the image.
   * --inaccessible=…, since systemd 242; images need a grant.
   *
   * @example Inaccessible: "/etc/secret"
   */
  readonly Inaccessible?: string | readonly string[] | null;
  /**
   * Folders of the host on top of each other; what is written goes to UPPER. Folders that are not there are made.
   *
   * Takes one or several: LOWER[:LOWER…]:UPPER:TARGET or { lower, upper?, target, readOnly? }, with absolute paths.
   * --overlay=…, since systemd 233; images need a grant.
   *
   * @example Overlay: { lower: ["/srv/base", "/srv/more"], upper: "/srv/own", target: "/srv/all" }
   */
  readonly Overlay?: string | OverlaySpec | readonly (string | OverlaySpec)[] | null;
  /**
   * The same, read-only.
   *
   * Takes one or several: LOWER[:LOWER…]:UPPER:TARGET or { lower, upper?, target, readOnly? }, with absolute paths.
   * --overlay-ro=…, since systemd 233; images need a grant.
   *
   * @example OverlayReadOnly: { lower: ["/srv/base", "/srv/more"], upper: "/srv/own", target: "/srv/all" }
   */
  readonly OverlayReadOnly?: string | ReadOnly<OverlaySpec> | readonly (string | ReadOnly<OverlaySpec>)[] | null;
  /**
   * How files of the root get to belong to the users of PrivateUsers: not at all, changed on the disk, or mapped by the kernel.
   *
   * Takes true, false or one of off, chown, map, foreign (systemd 258), auto.
   * --private-users-ownership=…, since systemd 249; images need a grant.
   *
   * @example PrivateUsersOwnership: "map"
   */
  readonly PrivateUsersOwnership?: boolean | BooleanText | "chown" | "map" | "foreign" | "auto" | null;
  /**
   * The old name of PrivateUsersOwnership=chown.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --private-users-chown, since systemd 230; images need a grant.
   *
   * @example PrivateUsersChown: true
   */
  readonly PrivateUsersChown?: boolean | BooleanText | null;
  /**
   * Gives the machine a network of its own; all other settings of this section do, too, but NamespacePath and Port.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --private-network, since systemd 226; images need a grant.
   *
   * @example Private: true
   */
  readonly Private?: boolean | BooleanText | null;
  /**
   * Puts the machine into a network namespace that is there. Not with interfaces of its own.
   *
   * Takes an absolute path on the host.
   * --network-namespace-path=…, since systemd 236; images need a grant.
   *
   * @example NamespacePath: "/run/netns/web"
   */
  readonly NamespacePath?: string | null;
  /**
   * Links the machine to the host: ve-MACHINE on the host is host0 in the machine.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --network-veth, since systemd 226; images need a grant.
   *
   * @example VirtualEthernet: true
   */
  readonly VirtualEthernet?: boolean | BooleanText | null;
  /**
   * One more link to the host.
   *
   * Takes one or several: HOST[:CONTAINER], each the name of an interface: 15 characters at most, no spaces, colons, slashes or %.
   * --network-veth-extra=…, since systemd 228; images need a grant.
   *
   * @example VirtualEthernetExtra: "ve-db:db0"
   */
  readonly VirtualEthernetExtra?: string | readonly string[] | null;
  /**
   * An interface of the host that is the machine's as long as it runs.
   *
   * Takes one or several: HOST[:CONTAINER], each the name of an interface: 15 characters at most, no spaces, colons, slashes or %.
   * --network-interface=…, since systemd 226; images need a grant.
   *
   * @example Interface: ["eth0"]
   */
  readonly Interface?: string | readonly string[] | null;
  /**
   * An interface of the host on which the machine gets a MACVLAN interface: an address of its own in the host's network.
   *
   * Takes one or several: HOST[:CONTAINER], each the name of an interface: 15 characters at most, no spaces, colons, slashes or %.
   * --network-macvlan=…, since systemd 226; images need a grant.
   *
   * @example MACVLAN: ["eth0"]
   */
  readonly MACVLAN?: string | readonly string[] | null;
  /**
   * The same with an IPVLAN interface, which shares the host's hardware address.
   *
   * Takes one or several: HOST[:CONTAINER], each the name of an interface: 15 characters at most, no spaces, colons, slashes or %.
   * --network-ipvlan=…, since systemd 226; images need a grant.
   *
   * @example IPVLAN: ["eth0"]
   */
  readonly IPVLAN?: string | readonly string[] | null;
  /**
   * Links the machine to a bridge of the host. Not with Zone.
   *
   * Takes an interface: 15 characters at most, no spaces, colons, slashes or %.
   * --network-bridge=…, since systemd 226; images need a grant.
   *
   * @example Bridge: "br0"
   */
  readonly Bridge?: string | null;
  /**
   * Links the machine to all others of this zone, by a bridge that comes and goes with them. Not with Bridge.
   *
   * Takes the name of a zone: 1 to 12 characters, no spaces, colons, slashes or %.
   * --network-zone=…, since systemd 230; images need a grant.
   *
   * @example Zone: "web"
   */
  readonly Zone?: string | null;
  /**
   * A port of the host that leads to one of the machine, which must have a network of its own. Of one host port the nearest counts.
   *
   * Takes one or several: [tcp:|udp:]HOST[:CONTAINER], ports from 1 to 65535.
   * --port=…, since systemd 226; images need a grant.
   *
   * @example Port: "tcp:8080:80"
   */
  readonly Port?: string | number | readonly (string | number)[] | null;
  /**
   * Keeps systemd-nspawn from saying what it does.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --quiet, since systemd 209; images may set it.
   *
   * @example Quiet: true
   */
  readonly Quiet?: boolean | BooleanText | null;
  /**
   * Makes the machine's service itself its scope, so that limits of the service hold for it. Always so here: false is refused.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --keep-unit, since systemd 209; images may set it.
   *
   * @example KeepUnit: true
   */
  readonly KeepUnit?: boolean | BooleanText | null;
  /**
   * Whether systemd-machined, and so machinectl, knows the machine.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --register=…, since systemd 209; images may set it.
   *
   * @example Register: true
   */
  readonly Register?: boolean | BooleanText | null;
  /**
   * The slice that the machine's service is in, instead of machine.slice.
   *
   * Takes the name of a slice, with .slice at its end.
   * [Service] Slice=…, since systemd 206; images need a grant.
   *
   * @example Slice: "web.slice"
   */
  readonly Slice?: string | null;
  /**
   * A limit of the machine's service, as in systemd.resource-control(5). Other directives belong in serviceConf of MACHINE.
   *
   * Takes one or several: NAME=value or { NAME: value }.
   * [Service] NAME=…, since systemd 220; images need a grant.
   *
   * @example Property: { MemoryMax: "1G" }
   */
  readonly Property?: string | readonly string[] | Readonly<Record<string, string | number | boolean>> | null;
  /**
   * What the machine's console is connected to.
   *
   * Takes one of interactive, read-only, passive, pipe, autopipe (systemd 248).
   * --console=…, since systemd 242; images may set it.
   *
   * @example Console: "passive"
   */
  readonly Console?: "interactive" | "read-only" | "passive" | "pipe" | "autopipe" | null;
  /**
   * The same as PrivateUsers=pick and PrivateUsersOwnership=auto.
   *
   * Takes true or false (yes, no, on and off are the same).
   * -U, since systemd 230; images need a grant.
   *
   * @example AutoPrivateUsers: true
   */
  readonly AutoPrivateUsers?: boolean | BooleanText | null;
  /**
   * A credential that is read from a file or socket of the host when the machine starts. Of one ID the nearest counts.
   *
   * Takes one or several: ID:PATH or { ID: path }.
   * --load-credential=…, since systemd 247; images need a grant.
   *
   * @example LoadCredential: { motd: "/etc/motd" }
   */
  readonly LoadCredential?: string | readonly string[] | Readonly<Record<string, string | number | boolean>> | null;
  /**
   * A credential that is in the unit, for all to read: secrets go into files, for LoadCredential.
   *
   * Takes one or several: ID:VALUE, with C escapes such as \n in VALUE, or { ID: value } without escapes.
   * --set-credential=…, since systemd 247; images need a grant.
   *
   * @example SetCredential: { motd: "hello" }
   */
  readonly SetCredential?: string | readonly string[] | Readonly<Record<string, string | number | boolean>> | null;
  /**
   * Makes systemd-nspawn remove what a crashed machine has left behind, instead of starting it.
   *
   * Takes true or false (yes, no, on and off are the same).
   * --cleanup, since systemd 257; images may set it.
   *
   * @example Cleanup: true
   */
  readonly Cleanup?: boolean | BooleanText | null;
  /**
   * A file or folder of the host that the machine's journal is sent to.
   *
   * Takes an absolute path on the host, of a journal file or a folder.
   * --forward-journal=…, since systemd 261; images need a grant.
   *
   * @example ForwardJournal: "/var/log/journal/web"
   */
  readonly ForwardJournal?: string | null;
  /**
   * A group that users of BindUser are in, too.
   *
   * Takes one or several: a name of letters, digits, _ and -, 31 characters at most.
   * --bind-user-group=…, since systemd 259; images need a grant.
   *
   * @example BindUserGroup: "www-data"
   */
  readonly BindUserGroup?: string | readonly string[] | null;
  /**
   * The SELinux label of the machine's processes.
   *
   * Takes an SELinux label.
   * --selinux-context=…, since systemd 209; images need a grant.
   *
   * @example SELinuxContext: "system_u:object_r:container_file_t:s0"
   */
  readonly SELinuxContext?: string | null;
  /**
   * The SELinux label of the machine's file systems in memory.
   *
   * Takes an SELinux label.
   * --selinux-apifs-context=…, since systemd 209; images need a grant.
   *
   * @example SELinuxApifsContext: "system_u:object_r:container_file_t:s0"
   */
  readonly SELinuxApifsContext?: string | null;
};
