/** What `--help` says besides usage, arguments and options. */
export type HelpText = { readonly description: string; readonly after: string };

const exitCodes = "Exit codes: 0 done, 1 the work failed, 2 the script or the call is wrong, 130 interrupted.";
const configuration = `Configuration: /etc/nspawn/config.ini, --config '[section]key=value', and the environment, such as
  NSPAWN_STORAGE_ROOT=/srv/nspawn; all keys: docs/config.md.`;
const documentation = "Documentation: docs/language.md, docs/events.md for --json; editors complete all keywords.";

export const buildHelp: HelpText = {
  description: `Builds the image that a script declares, and publishes it to its URL.
Keywords: IMAGE, PULL, BOOTSTRAP, COPY, CAST, FETCH, RUN, SH, WITH, EXEC, PUSH.`,
  after: `
Example, web/build.ts:
  import { IMAGE, PULL, SH, PUSH } from "nspawn/build";
  IMAGE("file:///srv/images/web.tar.zst");
  PULL("https://images.example.org/debian/bookworm.tar.zst");
  SH("apt-get update && apt-get install -y nginx-light");
  PUSH();

  nspawn-build web/build.ts --plan       what it would do; needs no root
  sudo ./web/build.ts                    executable, with the first line #!/usr/bin/env nspawn-build
  nspawn-build web/build.ts --json | jq  what happens as JSON, an object a line

${exitCodes}
${configuration}
${documentation}`,
};

/** @param actions the words of --action, each with what it does */
export function setupHelp(actions: Readonly<Record<string, string>>): HelpText {
  const width = Math.max(...Object.keys(actions).map((action) => action.length)) + 2;
  const table = Object.entries(actions).map(([action, meaning]) => `  ${action.padEnd(width)}${meaning}`);
  return {
    description: `Sets up the machine that a script declares: one systemd unit that runs an image.
Keywords: IMAGE, MACHINE, WITH, EXEC; on the host COPY, CAST, RUN, SH.`,
    after: `
Actions:
${table.join("\n")}

Example, web/setup.ts:
  import { IMAGE, MACHINE, WITH } from "nspawn/setup";
  IMAGE("file:///srv/images/web.tar.zst");
  MACHINE({ name: "web", serviceConf: ["CPUQuota=50%"] });
  WITH({ Boot: true, Bind: ["/srv/web"] });

  nspawn-setup web/setup.ts --plan     what it would do; needs no root
  sudo ./web/setup.ts                  executable, with the first line #!/usr/bin/env nspawn-setup
  sudo ./web/setup.ts --action=desure  take the machine away

${exitCodes}
${configuration}
${documentation}`,
  };
}

export const nspawnHelp: HelpText = {
  description: "Looks after the images on this host. nspawn-build builds them, nspawn-setup runs machines of them.",
  after: `
Examples:
  nspawn image list                        what the store has, and which machines use it
  nspawn image inspect URL                 all that is known of an image
  sudo nspawn image pull URL               bring an image and its ancestors in
  nspawn prune --dry-run                   what could be removed, and how much that is
  nspawn image list --json | jq '.[].url'  answers as JSON

${exitCodes}
${configuration}
nspawn <command> --help says more.`,
};
