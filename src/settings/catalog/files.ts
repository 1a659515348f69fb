import { bind, hidden, overlay, temporaryFileSystem } from "../kinds/mount.js";
import { hostUser } from "../kinds/text.js";
import { boolean, oneOf } from "../kinds/words.js";
import { type Row, row } from "./row.js";

/** [Files] of systemd.nspawn(5): the machine's root, and what is mounted into it. */
export const filesSettings = {
  ReadOnly: {
    ...row("--read-only", 226, "flag", "no", boolean),
    doc: "Makes the machine's root read-only.",
  },
  Volatile: {
    ...row(
      "--volatile",
      226,
      "value",
      "no",
      oneOf({ words: { no: 0, yes: 0, state: 0, overlay: 0 }, example: "overlay", booleans: { yes: "yes", no: "no" } }),
    ),
    doc: "Keeps what the machine writes in memory: all but /usr starts empty (yes), or /var does (state), or all is kept above the image (overlay).",
  },
  Bind: {
    ...row("--bind", 226, "each", "yes", bind),
    readOnlyName: "BindReadOnly",
    doc: "A folder or file of the host that the machine sees. What is not there is made: a folder if SOURCE ends in /, else a file.",
  },
  BindReadOnly: {
    ...row("--bind-ro", 226, "each", "yes", bind),
    doc: "The same, read-only.",
  },
  BindUser: {
    ...row("--bind-user", 249, "each", "yes", hostUser),
    doc: "A user of the host who is one in the machine, too, with the home folder. Up to systemd 257 it needs PrivateUsers.",
  },
  BindUserShell: {
    ...row(
      "--bind-user-shell",
      258,
      "value",
      "yes",
      oneOf({
        words: { no: 0, yes: 0 },
        example: "/bin/bash",
        booleans: { yes: "yes", no: "no" },
        others: { expected: "an absolute path", type: "(string & {})", test: (text) => text.startsWith("/") },
      }),
    ),
    doc: "The shell of users of BindUser: that on the host (yes), the machine's default (no), or a path.",
  },
  TemporaryFileSystem: {
    ...row("--tmpfs", 226, "each", "yes", temporaryFileSystem),
    doc: "An empty file system in memory.",
  },
  Inaccessible: {
    ...row("--inaccessible", 242, "each", "yes", hidden),
    doc: "A file or folder of the image that the machine cannot reach.",
  },
  Overlay: {
    ...row("--overlay", 233, "each", "yes", overlay),
    readOnlyName: "OverlayReadOnly",
    doc: "Folders of the host on top of each other; what is written goes to UPPER. Folders that are not there are made.",
  },
  OverlayReadOnly: {
    ...row("--overlay-ro", 233, "each", "yes", overlay),
    doc: "The same, read-only.",
  },
  PrivateUsersOwnership: {
    ...row(
      "--private-users-ownership",
      249,
      "value",
      "yes",
      oneOf({
        words: { off: 0, chown: 0, map: 0, foreign: 258, auto: 0 },
        example: "map",
        booleans: { yes: "auto", no: "off" },
      }),
    ),
    doc: "How files of the root get to belong to the users of PrivateUsers: not at all, changed on the disk, or mapped by the kernel.",
  },
  PrivateUsersChown: {
    ...row("--private-users-chown", 230, "flag", "yes", boolean),
    doc: "The old name of PrivateUsersOwnership=chown.",
  },
} as const satisfies Readonly<Record<string, Row>>;
