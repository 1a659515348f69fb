// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the file, which it writes as TypeScript does.
import type { SectionSchema } from "./schema.js";

const hostName = { pattern: /^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)?$/i, expects: "the name of a host" };
const hostNames = { pattern: /^[a-z0-9.:-]+$/i, expects: "names and addresses of hosts" };
const networks = {
  pattern: /^(\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?|[0-9a-f:]*:[0-9a-f:]*(\/\d{1,3})?)$/i,
  expects: "addresses and networks such as 10.0.0.0/8",
};
const word = { pattern: /^[\w.@-]+$/, expects: "a word of letters, digits, `.`, `_`, `@`, `-`" };
const optionalAge = { pattern: /^([1-9]\d{0,5}[smhdw])?$/, expects: "a time such as 12h, 30d or 8w, or empty" };
const age = { pattern: /^[1-9]\d{0,5}[smhdw]$/, expects: "a time such as 12h, 30d or 8w" };
const globs = { pattern: /^[^\r\n]+$/, expects: "patterns of rclone" };

/** The sections `[hatch]` and `[hatch/SERVICE]`: what the scripts of the packaged services ask for. */
export const hatchSchema = {
  hatch: {
    doc: "The services of `nspawn-hatch`, all of them. docs/hatch.md says more.",
    keys: {
      images: { kind: "path", default: "${storage:root}/hatch", doc: "Where the images of services are kept once they are built." },
      release: {
        kind: "choice",
        choices: ["bookworm", "trixie"],
        default: "bookworm",
        doc: "Debian's release that services are built on.",
      },
      mirror: { kind: "text", default: "", doc: "The mirror of Debian that they are built from. Empty: the one that mmdebstrap chooses." },
      base: {
        kind: "text",
        default: "",
        doc: "URL of an image to build services on instead: a Debian or Ubuntu with systemd and apt. Empty: a Debian made by BOOTSTRAP.",
      },
    },
  },
  "hatch/image-server": {
    doc: "`nspawn-hatch update image-server`: images over HTTP and HTTPS.",
    keys: {
      host_name: {
        kind: "text",
        default: "",
        ...hostName,
        doc: "The server's name in URLs of images, and in its certificate. Empty: the name of this host.",
      },
      other_names: {
        kind: "list",
        default: "",
        ...hostNames,
        doc: "More names and addresses for the certificate, one a line. `localhost` is always in it.",
      },
      https_port: { kind: "port", default: "443", doc: "The port for HTTPS." },
      http_port: { kind: "port", default: "80", doc: "The port for HTTP, for reading. Empty: none." },
      http_upload: {
        kind: "boolean",
        default: "no",
        doc: "Uploads are taken over HTTP, too: anybody on the way can read the password then.",
      },
      anonymous: { kind: "boolean", default: "no", doc: "Everybody may read; uploads need the login all the same." },
      username: { kind: "text", default: "nspawn", ...word, doc: "The user that is made at first. The password is made by chance." },
      upload_limit: { kind: "quantity", default: "16G", doc: "How large an archive may be at most, in units of `K`, `M`, `G` or `T`." },
      store_folder: { kind: "path", default: "/srv/nspawn/images", doc: "The folder with the images." },
      log_folder: { kind: "path", default: "/var/log/nspawn/image-server", doc: "The folder for nginx's logs." },
      user_file: {
        kind: "path",
        default: "/etc/nspawn/hatch/image-server/users",
        doc: "The users with their hashed passwords, as htpasswd(1) writes them. It is made if it is not there, and never changed.",
      },
    },
  },
  "hatch/image-syncer": {
    doc: "`nspawn-hatch update image-syncer`: a copy of the image folder in an S3 bucket.",
    keys: {
      store_folder: { kind: "path", default: "${hatch/image-server:store_folder}", doc: "The folder that is copied." },
      log_folder: { kind: "path", default: "/var/log/nspawn/image-syncer", doc: "The folder for the log of what was sent." },
      endpoint: {
        kind: "text",
        default: "",
        pattern: /^(https?:\/\/[\w.:[\]-]+(\/[\w.~-]*)*)?$/i,
        expects: "an http: or https: URL",
        doc: "URL of the storage. Empty: Amazon's.",
      },
      region: { kind: "text", default: "us-east-1", ...word, doc: "The region of the bucket." },
      bucket: {
        kind: "text",
        default: "",
        pattern: /^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$/,
        expects: "the name of a bucket",
        doc: "The bucket. It has to be there, or the keys have to be allowed to make it.",
      },
      prefix: {
        kind: "text",
        default: "",
        pattern: /^([\w.@-]+(\/[\w.@-]+)*)?$/,
        expects: "a path in the bucket such as images/debian",
        doc: "A folder in the bucket. Empty: the bucket itself. Objects outside of it are not touched.",
      },
      key_file: {
        kind: "path",
        default: "/etc/nspawn/hatch/image-syncer/s3-keys",
        doc: "The access and the secret key: a file of mode 600 with the lines `access_key_id = …` and `secret_access_key = …`.",
      },
      include: { kind: "list", default: "", ...globs, doc: "Patterns of files that are copied, one a line. Empty: all." },
      exclude: { kind: "list", default: "", ...globs, doc: "Patterns of files that are not. Hidden files and folders never are." },
      object_mode: {
        kind: "choice",
        choices: ["private", "public-read", "public-read-write", "authenticated-read", "bucket-owner-read", "bucket-owner-full-control"],
        default: "private",
        doc: "Who may do what with the objects: a canned ACL of S3.",
      },
      delete: { kind: "boolean", default: "yes", doc: "An object whose file is gone is removed." },
      expire_age: {
        kind: "text",
        default: "",
        ...optionalAge,
        doc: "Objects of files that were written longer ago are removed, and such files are not copied: `30d`, `12h`. Empty: never.",
      },
      expire_period: { kind: "text", default: "1d", ...age, doc: "How often that is looked at." },
    },
  },
  "hatch/image-proxy": {
    doc: "`nspawn-hatch update image-proxy`: a caching proxy for images and packages.",
    keys: {
      port: { kind: "port", default: "3128", doc: "The port of the proxy." },
      allowed_networks: {
        kind: "list",
        default: "10.0.0.0/8\n172.16.0.0/12\n192.168.0.0/16\nfc00::/7\nfe80::/10",
        ...networks,
        doc: "Networks whose clients may use it, one a line. This host always may.",
      },
      cache_folder: { kind: "path", default: "/var/cache/nspawn/image-proxy", doc: "The folder of the cache." },
      cache_size: { kind: "quantity", default: "16G", doc: "How large the cache may become." },
      largest_object: { kind: "quantity", default: "4G", doc: "The largest file that is kept." },
      log_folder: { kind: "path", default: "/var/log/nspawn/image-proxy", doc: "The folder for squid's logs." },
      store_id_rules: {
        kind: "list",
        default: "",
        pattern: /^\S+\s+\S+$/,
        expects: "rules: a regular expression, a space, and the name that it stands for",
        doc: "Mirrors of one file: a regular expression of URLs, and one name for all of them with `$1` for its first part, a rule a line. In the file, write `$$` for `$`. Names such as `http://debian.squid.internal/$1`.",
      },
      tls_intercept: {
        kind: "boolean",
        default: "no",
        doc: "Opens TLS connections, to keep what comes over HTTPS, too. Clients have to trust the CA that is made for it on this host.",
      },
      use_here: { kind: "boolean", default: "yes", doc: "Downloads and builds of this host use the proxy as long as it is there." },
    },
  },
} as const satisfies Readonly<Record<string, SectionSchema>>;
