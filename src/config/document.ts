import { authKeys, type KeySchema, type Kinds, retired, schema } from "./schema.js";

type Keys = Readonly<Record<string, KeySchema>>;

/** The text of `config.ini` in the package: all keys with their defaults, commented out as `#key = value`, behind explanations in `# text`. */
export function configFile(): string {
  const sections = Object.entries(schema).map(([name, { doc, keys }]) => [`[${name}]`, ...comment(doc), ...keyLines(keys)].join("\n"));
  const auth = [...comment(`${authDoc} Give a file with a login the mode 600.`), ...comment(authSample)].join("\n");
  return `${[comment(fileHead).join("\n"), ...sections, auth].join("\n\n")}\n`;
}

/** The text of `docs/config.md`. */
export function configDocument(): string {
  const sections = Object.entries(schema).flatMap(([name, { doc, keys }]) => [
    `## [${name}]`,
    doc,
    keyTable(keys),
    ...(name === "proxy" ? [proxyNotes] : []),
  ]);
  const old = retired.map(({ name, reason }) => `- \`${name}\`: ${reason}`).join("\n");
  return `${[
    documentHead,
    ...sections,
    "## [auth/HOST]",
    authDoc,
    keyTable(authKeys),
    authNotes,
    "## What has no meaning any more",
    "Keys of the Python tool that give a warning and do nothing:",
    old,
  ].join("\n\n")}\n`;
}

/** What a value looks like. */
const kindDocs: { readonly [K in keyof Kinds]: string } = {
  boolean: "`yes` or `no`",
  text: "text",
  choice: "a word",
  choices: "words, one a line",
  seconds: "seconds",
  pause: "seconds",
  count: "number",
  amount: "number",
  quantity: "number, or with a unit",
  allowance: "number, or with a unit",
  path: "path",
  optionalPath: "path, or empty",
  port: "number",
  list: "list",
  argv: "list",
  webUrls: "list",
  urlPrefixes: "list",
  mountOptions: "list",
  proxyVariables: "lines",
};

const fileHead = `Configuration of nspawn: all keys with their defaults. This file is not read.
Copy what you change to /etc/nspawn/config.ini.

A value may go on over lines that are indented; a list has one item a line.
Lines that begin with # or ; are comments. \${section:key} is the value of another key, $NAME a variable of the environment, $$ a dollar sign.
Documentation: docs/config.md`;

const authDoc =
  "How a host of images is reached, and who we are there, for downloads and for PUSH: a section for each host, named as in the URLs of its images.";

const authSample = `[auth/images.example.org]
type = basic
username = builder
password = secret`;

const documentHead = `# Configuration

<!-- Generated from src/config/schema.ts by scripts/generate. -->

The package has all of this as a file too, \`config.ini\`, with every key commented out.

The values of keys come from, each over the ones before:

1. the defaults below;
2. the files of \`config/path_list\`, in this order: those of \`/etc/nspawn/config.d\` (logins and proxies of services, see [hatch.md](hatch.md)), \`/etc/nspawn/config.ini\`, \`~/.nspawn/config.ini\`, \`~/.config/nspawn/config.ini\`;
3. the environment: \`NSPAWN_SECTION_KEY\` in capitals, with \`_\` for \`/\` and \`-\`, such as \`NSPAWN_STORAGE_ROOT=/srv/nspawn\`; its value is taken as it is;
4. the option \`--config '[section]key=value'\`, which may be given more than once.

An unknown section or key is an error that names the file and line.

\`\`\`ini
# /etc/nspawn/config.ini
[storage]
root = /srv/nspawn
extract = \${storage:root}/layers

[build]
# A list: one item a line, indented.
shell_invoke =
  /bin/bash
  -euo
  pipefail
  -c
\`\`\`

- A line that is indented deeper than its key goes on with the value. Lines that begin with \`#\` or \`;\` are comments, inside a value too; there are none behind a value.
- \`\${section:key}\` is the value of another key, \`\${key}\` of one in the same section, \`$NAME\` a variable of the environment. \`$$\` is a dollar sign.
- In the environment and in \`--config\` the items of a list are separated by line breaks: \`--config $'[build]shell_invoke=/bin/sh\\n-ec'\`.
- A file with a login that other users can read gives a warning: \`chmod 600\`.`;

const proxyNotes = `\`\`\`ini
[proxy]
proxy_check_list = config
proxy_config_text =
  http_proxy = http://proxy.example.org:3128
  https_proxy = http://proxy.example.org:3128
  no_proxy = example.net,10.0.0.7:8080
\`\`\`

A name in \`no_proxy\` also stands for the hosts below it, \`*\` for all. This host itself is never asked through a proxy. A proxy that
takes no connection gives a warning, and if none is left, the connection is direct. A login goes into the proxy's URL,
\`http://USER:PASSWORD@HOST:PORT\`; commands of a build then see it if \`use_machine_proxy\` is set.`;

const authNotes = `\`\`\`ini
${authSample}

[auth/hub.example.org]
# https://hub.example.org/web.tar.zst is asked for at https://10.0.0.7:8443/web.tar.zst.
host = 10.0.0.7
port = 8443
type = token
token = $HUB_TOKEN
ca_file = /etc/nspawn/hub-ca.pem
\`\`\`

A login goes to this one server only, never to another that a redirect leads to, be it the same host at another port. Over \`http:\` it
would go in the clear: but to this host itself, that is refused unless \`insecure\` allows it. Redirects are followed for downloads, ten at most, and never from \`https:\` to \`http:\`. An upload is
not redirected.

Certificates are verified against the CAs of the system, \`/etc/ssl/certs/ca-certificates.crt\` as update-ca-certificates(8) makes it, as curl and
apt do; where there is no such file, against those that Node brings along. Those of the variable \`NODE_EXTRA_CA_CERTS\` count too. \`ca_file\` and
\`insecure\` hold for the host in the name of the section, wherever \`host\` and \`port\` lead, and through a proxy too. The certificate has to be
for the host that is really asked.`;

function keyLines(keys: Keys): readonly string[] {
  return Object.entries(keys).flatMap(([name, { doc, default: text }]) => {
    const [first = "", ...more] = text.split("\n");
    const value = more.length === 0 ? [`#${name} = ${first}`.trimEnd()] : [`#${name} =`, ...[first, ...more].map((item) => `#  ${item}`)];
    return ["", ...comment(doc), ...value];
  });
}

function keyTable(keys: Keys): string {
  const rows = Object.entries(keys).map(([name, { kind, choices, default: text, doc }]) => {
    const values = choices ? choices.map((choice) => `\`${choice}\``).join(", ") : kindDocs[kind];
    const shown = text === "" ? "" : text.split("\n").map((line) => `\`${line}\``);
    return `| \`${name}\` | ${values} | ${shown === "" ? "" : shown.join("<br>")} | ${doc} |`;
  });
  return ["| key | value | default | meaning |", "| --- | ----- | ------- | ------- |", ...rows].join("\n");
}

/** Explanations begin with `# `, in lines that an editor shows whole. */
function comment(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => wrapped(line).map((part) => `# ${part}`.trimEnd()));
}

function wrapped(text: string): readonly string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + word.length < 100) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
