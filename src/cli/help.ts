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
  sudo ./web/setup.ts --action=rollback  the version before again; --generation=4: any that is kept
  sudo ./web/setup.ts --action=desure  take the machine away

${exitCodes}
${configuration}
${documentation}`,
  };
}

export const enterHelp: HelpText = {
  description: `Opens a shell in a running machine, or runs a command there, as the machine's root.
Any machine of systemd-nspawn will do, whether there is systemd in it or not.`,
  after: `
Examples:
  nspawn-enter web                               root's shell; where there is none, /bin/sh
  nspawn-enter web "apt-get update && nginx -t"  a line for sh
  nspawn-enter web ls -l "/srv/a b"              a program and its arguments, as they are
  nspawn-enter web -- /usr/bin/env               the same, for a program without arguments
  nspawn-enter web "tar c /srv" > srv.tar        without a terminal: bytes as they are

With a terminal for input and output, the command has a terminal of the machine's own. Of the host's
environment it gets TERM only. More: docs/enter.md.

Exit codes: those of the command; 128 and more if a signal ended it, 127 if it is not there, 126 if it
cannot be run. Of nspawn-enter itself, with "error:" on standard error: 1 the machine cannot be
entered, 2 the call is wrong.
nspawn machine list shows the machines that nspawn has made, machinectl those that are registered.`,
};

export const hatchHelp: HelpText = {
  description: `Runs ready-made services: each is a folder with two ordinary scripts, build.ts and setup.ts.
A service is a name of nspawn-hatch list, or the path of a folder.`,
  after: `
Examples:
  nspawn-hatch list                      the services, what they do, and how they are
  nspawn-hatch ensure image-server --plan  what it would do; needs no root
  sudo nspawn-hatch ensure image-server  build and start it, if it is not there
  sudo nspawn-hatch update ./my-service  bring one of your own to what its scripts say
  sudo nspawn-hatch desure image-server  take it away; its data stay

${exitCodes}
${configuration}
Documentation: docs/hatch.md; services/README.md says how to write a service.`,
};

export const nspawnHelp: HelpText = {
  description: "Looks after the images and machines on this host. nspawn-build builds them, nspawn-setup runs machines of them.",
  after: `
Examples:
  nspawn image list                        what the store has, and which machines use it
  nspawn image inspect URL                 all that is known of an image
  sudo nspawn image pull URL               bring an image and its ancestors in
  nspawn machine list                      the machines of this host, and how they are
  nspawn machine status web                all that is known of a machine
  nspawn prune --dry-run                   what could be removed, and how much that is
  nspawn image list --json | jq '.[].url'  answers as JSON

${exitCodes}
${configuration}
nspawn <command> --help says more.`,
};
