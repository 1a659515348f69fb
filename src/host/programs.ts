import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { MissingProgramError } from "../base/errors.js";

/** Programs that we start, with the Debian package that brings each. */
const packages = {
  bash: "bash",
  chown: "coreutils",
  cp: "coreutils",
  dd: "coreutils",
  du: "coreutils",
  env: "coreutils",
  find: "findutils",
  install: "coreutils",
  ln: "coreutils",
  mkdir: "coreutils",
  mknod: "coreutils",
  touch: "coreutils",
  rm: "coreutils",
  sync: "coreutils",
  sh: "dash",
  tar: "tar",
  gzip: "gzip",
  pigz: "pigz",
  xz: "xz-utils",
  zstd: "zstd",
  nsenter: "util-linux",
  mount: "mount",
  umount: "mount",
  perl: "perl-base",
  script: "bsdutils",
  setpriv: "util-linux",
  unshare: "util-linux",
  mmdebstrap: "mmdebstrap",
  "systemd-nspawn": "systemd-container",
  systemctl: "systemd",
  journalctl: "systemd",
  "systemd-analyze": "systemd",
} as const satisfies Readonly<Record<string, string>>;

/** A program that the product knows; only these are started by name. */
export type Program = keyof typeof packages;

/**
 * Path of a program, looked for on PATH and in the folders of system programs, which a user's PATH may lack.
 * @throws MissingProgramError with the Debian package that has it
 */
export function programPath(program: Program): string {
  const path = findProgram(program);
  if (path === undefined) {
    throw new MissingProgramError(`the program ${program} is not installed`, {
      hint: `apt-get install ${packages[program]}`,
    });
  }
  return path;
}

/** Whether a program is there. */
export function hasProgram(program: Program): boolean {
  return findProgram(program) !== undefined;
}

/**
 * Looks up all programs that some work needs, before it starts.
 * @throws MissingProgramError that names all that are missing, with one command that brings them
 */
export function requirePrograms(programs: readonly Program[]): void {
  const missing = programs.filter((program) => !hasProgram(program));
  if (missing.length === 0) return;
  const names = missing.length === 1 ? `the program ${missing[0]} is` : `the programs ${missing.join(", ")} are`;
  throw new MissingProgramError(`${names} not installed`, {
    hint: `apt-get install ${[...new Set(missing.map((program) => packages[program]))].join(" ")}`,
  });
}

function findProgram(program: Program): string | undefined {
  const folders = [
    ...(process.env.PATH ?? "").split(":").filter((folder) => folder.startsWith("/")),
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
  ];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
