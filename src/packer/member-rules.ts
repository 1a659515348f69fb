import type { ByteName } from "../base/byte-path.js";
import type { Config } from "../config/config.js";
import { Flaw, quoteName } from "./archive-error.js";
import { PathSet } from "./path-set.js";
import type { TarMember } from "./tar-reader.js";

/** The most that an archive may hold: bytes of all files, without holes, and members. */
export type ArchiveLimits = Pick<Config["storage"], "extractLimit" | "extractMembers">;

/** Device nodes that an archive may have: `whiteouts` of overlayfs, which are character devices 0:0, or `all`. */
export type AllowedDevices = "whiteouts" | "all";

/**
 * What holds for the members of every archive, so that each of them can only lead to a file in the folder that it is extracted to, and the
 * disk stays usable.
 */
export class MemberRules {
  readonly #limits: ArchiveLimits;
  readonly #devices: AllowedDevices;
  readonly #once: string | undefined;
  readonly #symlinks = new PathSet();
  #members = 0;
  #bytes = 0;
  #sawOnce = false;

  /** @param once a name at the archive's top that no two members may have */
  constructor(limits: ArchiveLimits, devices: AllowedDevices, once?: string) {
    this.#limits = limits;
    this.#devices = devices;
    this.#once = once;
  }

  /** @throws Flaw for a member that must not be extracted */
  check(member: TarMember): void {
    const parts = partsOf(member.name, "name");
    if (parts.length === 0 && member.kind !== "folder") throw new Flaw(`would put a ${member.kind} in the place of the root folder`);
    this.#count(member);
    this.#checkOnce(parts);
    this.#checkWay(parts, "lies below");
    // Which of them tar leaves there is not certain: it makes symlinks that lead elsewhere in the end.
    if (this.#symlinks.has(parts)) throw new Flaw("has the name of a symlink in the same archive");
    if (member.kind === "symlink") this.#addSymlink(parts, member.link);
    else if (member.kind === "hardlink") this.#checkHardLink(parts, member.link);
    else if (member.kind === "character" || member.kind === "block") this.#checkDevice(member.kind, member.device);
  }

  #count({ bytes }: TarMember): void {
    const { extractMembers, extractLimit } = this.#limits;
    this.#members++;
    this.#bytes += bytes;
    if (this.#members > extractMembers) {
      throw new Flaw(
        `is one more than the ${extractMembers} members that an archive may have`,
        "[storage] extract_members in the configuration sets how many",
      );
    }
    if (this.#bytes > extractLimit) {
      throw new Flaw(
        `makes the archive larger than the ${extractLimit} bytes that it may be extracted`,
        "[storage] extract_limit in the configuration sets how many",
      );
    }
  }

  #checkOnce(parts: readonly ByteName[]): void {
    if (parts.length !== 1 || parts[0] !== this.#once) return;
    if (this.#sawOnce) throw new Flaw("is there twice");
    this.#sawOnce = true;
  }

  #checkWay(parts: readonly ByteName[], how: string): void {
    const depth = this.#symlinks.above(parts);
    if (depth > 0) throw new Flaw(`${how} ${quoteName(parts.slice(0, depth).join("/"))}, which is a symlink in the same archive`);
  }

  #addSymlink(parts: readonly ByteName[], link: ByteName): void {
    if (link === "" || link.length > maxPath) throw new Flaw("is a symlink with an empty or a far too long target");
    this.#symlinks.add(parts);
  }

  /** A hard link to what the archive does not have is left to tar, which finds nothing there: the folder was empty before. */
  #checkHardLink(parts: readonly ByteName[], link: ByteName): void {
    const target = partsOf(link, "target");
    this.#checkWay(target, `is a hard link to ${quoteName(link)}, below`);
    // It is another name of the symlink.
    if (this.#symlinks.has(target)) this.#symlinks.add(parts);
  }

  #checkDevice(kind: "character" | "block", [major, minor]: readonly [number, number]): void {
    if (this.#devices === "all" || (kind === "character" && major === 0 && minor === 0)) return;
    throw new Flaw(
      `is a device node (${kind} ${major}:${minor})`,
      "a machine has its own device nodes in /dev: pack the archive without, such as by tar --exclude='./dev/*'",
    );
  }
}

/** Limits of Linux: NAME_MAX, and PATH_MAX without the NUL (limits.h(0p)). */
const maxPart = 255;
const maxPath = 4095;

/** The parts of a path below the root of the archive. */
function partsOf(path: ByteName, what: "name" | "target"): readonly ByteName[] {
  const shown = what === "name" ? "" : ` ${quoteName(path)}`;
  if (path === "") throw new Flaw(`has an empty ${what}`);
  if (path.length > maxPath) throw new Flaw(`has a ${what} of ${path.length} bytes: Linux takes ${maxPath}`);
  // tar would take off the slash: the file would be somewhere else than the archive says.
  if (path.startsWith("/")) throw new Flaw(`has an absolute ${what}${shown}`, absoluteHint);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw new Flaw(`has .. in its ${what}${shown}`);
    if (part.length > maxPart) throw new Flaw(`has a ${what} with a part of ${part.length} bytes: Linux takes ${maxPart}`);
  }
  return parts;
}

const absoluteHint = "pack it with names relative to its root, such as by tar -C FOLDER .";
