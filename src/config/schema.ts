// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the file, which it writes as TypeScript does.
import { hatchSchema } from "./hatch-schema.js";

/** What a key's value is read as; `values.ts` has a reader for each. */
export type Kinds = {
  readonly boolean: boolean;
  readonly text: string;
  /** One of `choices`, or several of them in an order. */
  readonly choice: string;
  readonly choices: readonly string[];
  readonly seconds: number;
  /** Seconds that may be 0. */
  readonly pause: number;
  /** A whole number from 1. */
  readonly count: number;
  /** A whole number from 0. */
  readonly amount: number;
  /** A whole number, also in units of 1024 and its powers: `100G`. */
  readonly quantity: number;
  /** The same, and 0: none of it. */
  readonly allowance: number;
  /** An absolute path; a relative one starts at the working directory. */
  readonly path: string;
  readonly optionalPath: string | undefined;
  readonly port: number | undefined;
  readonly list: readonly string[];
  /** A program and its arguments. */
  readonly argv: readonly string[];
  readonly webUrls: readonly string[];
  readonly urlPrefixes: readonly string[];
  readonly mountOptions: readonly string[];
  readonly proxyVariables: ProxyVariables;
};

/** Proxies as the environment names them; undefined: none is given. */
export type ProxyVariables = {
  readonly http_proxy?: string | undefined;
  readonly https_proxy?: string | undefined;
  readonly no_proxy?: string | undefined;
};

export type KeySchema = {
  readonly kind: keyof Kinds;
  /** As it would stand in the file. */
  readonly default: string;
  /** Full sentences for documents and for the packaged file. */
  readonly doc: string;
  readonly choices?: readonly string[];
  /** Other words for some of the choices. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** What a text, or each item of a list, has to look like, and the words for it in a message: "is …, not …". */
  readonly pattern?: RegExp;
  readonly expects?: string;
  /** Its value is never shown. */
  readonly secret?: true;
};

export type SectionSchema = { readonly doc: string; readonly keys: Readonly<Record<string, KeySchema>> };

/** All sections and keys with one place in the file: types, defaults, checks, `config.ini` and `docs/config.md` come from this table. */
export const schema = {
  main: {
    doc: "The commands themselves.",
    keys: {
      trace_error: { kind: "boolean", default: "no", doc: "Print the stack of an error, as `--verbose` does." },
    },
  },
  config: {
    doc: "Where the configuration comes from.",
    keys: {
      path_list: {
        kind: "list",
        default: "/etc/nspawn/config.d\n/etc/nspawn/config.ini\n$HOME/.nspawn/config.ini\n$HOME/.config/nspawn/config.ini",
        doc: "Files to read, one a line; a later one overrides an earlier one, and one that is not there is skipped. Of a folder all files `*.ini` are read, in the order of their names. Counts in the environment and in `--config` only: in a file it would come too late.",
      },
    },
  },
  logging: {
    doc: "What the commands say.",
    keys: {
      level: {
        kind: "choice",
        choices: ["debug", "info", "warning", "error"],
        aliases: { critical: "error", warn: "warning" },
        default: "info",
        doc: "How much is said. `debug` is `--verbose`, `warning` is `--quiet`; `error` leaves out warnings, too.",
      },
      format: {
        kind: "text",
        default: "%(message)s",
        doc: "How a line looks where the output is no terminal: `%(message)s`, `%(asctime)s` (the time), `%(levelname)s`; a width as in `%(levelname)-6s`.",
      },
      datefmt: { kind: "text", default: "%Y-%m-%d %H:%M:%S", doc: "How `%(asctime)s` looks, as in strftime(3)." },
    },
  },
  storage: {
    doc: "Where images and machines are kept. `extract` and `tempdir` have to be on one file system.",
    keys: {
      root: { kind: "path", default: "/var/lib/nspawn", doc: "The image store; records of URLs and locks are in it." },
      extract: { kind: "path", default: "${storage:root}/extract", doc: "Layers: the content of images." },
      runtime: { kind: "path", default: "${storage:root}/runtime", doc: "Writable layers of machines." },
      tempdir: { kind: "path", default: "${storage:root}/tempdir", doc: "Work in progress: downloads and builds." },
      keep_archives: {
        kind: "boolean",
        default: "no",
        doc: "Keep the archive of each image that is pulled, as `archive/` in the root; it goes with its layer. Nothing here needs it: it is for those who pass it on.",
      },
      extract_limit: {
        kind: "quantity",
        default: "100G",
        doc: "How many bytes the files of one archive may have in all, in units of `K`, `M`, `G` or `T` (1024 and its powers); holes of sparse files do not count. A few megabytes can hold enough to fill any disk.",
      },
      extract_members: {
        kind: "quantity",
        default: "2000000",
        doc: "How many files, folders and links one archive may hold at most.",
      },
    },
  },
  build: {
    doc: "How images are built.",
    keys: {
      shell_invoke: {
        kind: "argv",
        default: "/usr/bin/env\nsh\n-e\n-c\n{script}",
        doc: "How SH runs its script, in builds and on the host: a program and its arguments, one a line. `{script}` stands for the script; without it the script comes last.",
      },
      preserve_build_dir: {
        kind: "boolean",
        default: "no",
        doc: "Keep the work folder of each build, with a layer for each step, and say where it is. Nothing of such a build is cached. Remove it with rm(1).",
      },
      cache_size: {
        kind: "allowance",
        default: "20G",
        doc: "How many bytes the cached steps of builds may take on disk, in units of `K`, `M`, `G` or `T` (1024 and its powers). Those that were not used for longest go first, at the end of a build or by `nspawn prune`. 0: no step is cached.",
      },
      cache_age: {
        kind: "count",
        default: "30",
        doc: "After how many days without use a cached step is removed, at the end of a build or by `nspawn prune`.",
      },
    },
  },
  proxy: {
    doc: "Proxies. For each protocol the first one that takes a connection counts; of several `no_proxy` the last.",
    keys: {
      use_host_proxy: { kind: "boolean", default: "yes", doc: "Downloads and uploads, those of BOOTSTRAP too, go through a proxy." },
      use_machine_proxy: {
        kind: "boolean",
        default: "no",
        doc: "Commands of a build, RUN and SH, find the proxies in their environment (`http_proxy`, `HTTP_PROXY`, …). The image does not keep them, and a variable that the script sets itself wins.",
      },
      socket_timeout: { kind: "seconds", default: "1", doc: "How many seconds a proxy has to take a connection." },
      proxy_check_list: {
        kind: "choices",
        choices: ["user", "root", "config"],
        default: "user\nroot\nconfig",
        doc: "Where proxies come from, in this order. `config` is `proxy_config_text`. `user` and `root` are the environment of the command: under sudo(8), what its policy lets through (`env_keep`).",
      },
      proxy_config_text: {
        kind: "proxyVariables",
        default: "",
        secret: true,
        doc: "Proxies, one a line: `http_proxy = URL`, `https_proxy = URL`, `no_proxy = HOST,HOST`.",
      },
    },
  },
  network: {
    doc: "How other hosts are reached.",
    keys: {
      check_timeout: {
        kind: "seconds",
        default: "3",
        doc: "How many seconds a look-up of TOOL waits for an answer, and `nspawn machine … --check` for a server of images.",
      },
      check_host_list: {
        kind: "webUrls",
        default: "https://checkip.amazonaws.com/\nhttps://api.ipify.org/\nhttps://ipv4.icanhazip.com/",
        doc: "URLs that answer with the caller's public address as text, one a line; TOOL asks them for it.",
      },
      connect_timeout: { kind: "seconds", default: "15", doc: "How many seconds a server of images has to take a connection." },
      read_timeout: {
        kind: "seconds",
        default: "60",
        doc: "How many seconds a server of images has to answer, and then for each further part of the archive.",
      },
      tries: {
        kind: "count",
        default: "5",
        doc: "How often a download or upload is tried before it fails: after connections that fail or break, answers that do not come in time, and the HTTP status 408, 425, 429 or 5xx. A download goes on where it broke off, and once more of it has come, tries are counted anew.",
      },
      retry_pause: {
        kind: "seconds",
        default: "1",
        doc: "About how many seconds lie between the first and the second try. Each further pause is twice as long.",
      },
      retry_pause_max: {
        kind: "seconds",
        default: "60",
        doc: "How many seconds a pause has at most, also where the server asks for a longer one (Retry-After).",
      },
    },
  },
  machine: {
    doc: "Units of machines.",
    keys: {
      template: {
        kind: "optionalPath",
        default: "",
        doc: "Template of the unit where the script names none. Empty: the one of the package, `templates/machine-default.service`.",
      },
      use_bind_stub: {
        kind: "boolean",
        default: "yes",
        doc: "Sources of Bind and Overlay that are not on the host are made at the start: a folder if the path ends in `/`, else an empty file.",
      },
      overlayfs_mount_opts: {
        kind: "mountOptions",
        default: "",
        doc: "More options for the overlay of a machine's root, one a line, such as `xino=auto`. `index=off`, `metacopy=off`, `redirect_dir=off` and `nodev` always hold.",
      },
      trust_list: {
        kind: "urlPrefixes",
        default: "file:",
        doc: "Images that may set what opens the host to the machine without a grant: beginnings of URLs, one a line, such as `https://images.example.org/`.",
      },
      keep_generations: {
        kind: "amount",
        default: "3",
        doc: 'How many versions of a machine are kept, the running one among them, for `--action=rollback`: their units, their layers, and with `state: "keep"` what they have written. 0 or 1: the running one alone.',
      },
      settle_time: {
        kind: "pause",
        default: "0.3",
        doc: "How many seconds a machine that was started has to run without ending or being restarted, before it counts as running. 0: it is enough that it has started.",
      },
      ready_timeout: {
        kind: "seconds",
        default: "90",
        doc: "How many seconds the systemd in a machine has to finish its start. Other machines are ready when they run.",
      },
    },
  },
  ...hatchSchema,
} as const satisfies Readonly<Record<string, SectionSchema>>;

/** The keys of a section `[auth/HOST]`: how the host of an image's URL is reached, and who we are there. */
export const authKeys = {
  type: {
    kind: "choice",
    choices: ["empty", "basic", "token"],
    default: "empty",
    doc: "The kind of login: `empty` (none), `basic` (username and password), `token` (a bearer token).",
  },
  host: { kind: "text", default: "", doc: "The host that is asked instead. The image keeps its URL." },
  port: { kind: "port", default: "", doc: "The port that is asked instead." },
  username: { kind: "text", default: "", secret: true, doc: "The user, for `basic`." },
  password: { kind: "text", default: "", secret: true, doc: "The password, for `basic`." },
  token: { kind: "text", default: "", secret: true, doc: "The token, for `token`." },
  ca_file: {
    kind: "optionalPath",
    default: "",
    doc: "A file of certificates in PEM. Certificates that these CAs signed are trusted for this host, besides those that the system trusts.",
  },
  insecure: {
    kind: "boolean",
    default: "no",
    doc: "The host's certificate is not verified, and over `http:` the login is sent in the clear, so that anybody on the way can read it and replace images. Each command that uses the host warns of it.",
  },
} as const satisfies Readonly<Record<string, KeySchema>>;

/** What the Python tool's configuration has and this one has not, with the reason. A trailing `*` stands for anything. */
export const retired: readonly { readonly name: string; readonly reason: string }[] = [
  { name: "build/build_space", reason: "builds work in storage/tempdir" },
  { name: "build/build_regex", reason: "builds need no names of machines" },
  { name: "storage/archive", reason: "archives are extracted while they come in; storage/keep_archives keeps them below storage/root" },
  { name: "storage/provision", reason: "nothing is provisioned through a folder" },
  { name: "wrapper/*", reason: "programs are found in PATH and called with fixed options" },
  { name: "hatcher/*", reason: "services have sections of their own, such as [hatch/image-server]" },
];
