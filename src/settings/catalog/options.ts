import { credentialPath, credentialValue, property } from "../kinds/assignment.js";
import { hostUser, journalTarget, label, slice } from "../kinds/text.js";
import { boolean, oneOf } from "../kinds/words.js";
import { type Row, row } from "./row.js";

/** Options of systemd-nspawn(1) that systemd.nspawn(5) has no settings for, under names of the same kind. */
export const optionSettings = {
  Quiet: {
    ...row("--quiet", 209, "flag", "no", boolean),
    doc: "Keeps systemd-nspawn from saying what it does.",
  },
  KeepUnit: {
    ...row("--keep-unit", 209, "flag", "no", boolean),
    doc: "Makes the machine's service itself its scope, so that limits of the service hold for it. Always so here: false is refused.",
  },
  Register: {
    ...row("--register", 209, "value", "no", boolean),
    doc: "Whether systemd-machined, and so machinectl, knows the machine.",
  },
  Slice: {
    ...row("--slice", 206, "directive", "yes", slice),
    doc: "The slice that the machine's service is in, instead of machine.slice.",
  },
  Property: {
    ...row("--property", 220, "directives", "yes", property),
    doc: "A limit of the machine's service, as in systemd.resource-control(5). Other directives belong in serviceConf of MACHINE.",
  },
  Console: {
    ...row(
      "--console",
      242,
      "value",
      "no",
      oneOf({ words: { interactive: 0, "read-only": 0, passive: 0, pipe: 0, autopipe: 248 }, example: "passive" }),
    ),
    doc: "What the machine's console is connected to.",
  },
  AutoPrivateUsers: {
    ...row("-U", 230, "flag", "yes", boolean),
    doc: "The same as PrivateUsers=pick and PrivateUsersOwnership=auto.",
  },
  LoadCredential: {
    ...row("--load-credential", 247, "each", "yes", credentialPath),
    doc: "A credential that is read from a file or socket of the host when the machine starts. Of one ID the nearest counts.",
  },
  SetCredential: {
    ...row("--set-credential", 247, "each", "yes", credentialValue),
    doc: "A credential that is in the unit, for all to read: secrets go into files, for LoadCredential.",
  },
  Cleanup: {
    ...row("--cleanup", 257, "flag", "no", boolean),
    doc: "Makes systemd-nspawn remove what a crashed machine has left behind, instead of starting it.",
  },
  ForwardJournal: {
    ...row("--forward-journal", 261, "value", "yes", journalTarget),
    doc: "A file or folder of the host that the machine's journal is sent to.",
  },
  BindUserGroup: {
    ...row("--bind-user-group", 259, "each", "yes", hostUser),
    doc: "A group that users of BindUser are in, too.",
  },
  SELinuxContext: {
    ...row("--selinux-context", 209, "value", "yes", label),
    doc: "The SELinux label of the machine's processes.",
  },
  SELinuxApifsContext: {
    ...row("--selinux-apifs-context", 209, "value", "yes", label),
    doc: "The SELinux label of the machine's file systems in memory.",
  },
} as const satisfies Readonly<Record<string, Row>>;
