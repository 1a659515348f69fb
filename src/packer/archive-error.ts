import { type ByteName, showName } from "../base/byte-path.js";
import { NspawnError } from "../base/errors.js";
import { shorten } from "../base/shorten.js";

/** An archive that is broken, or holds what none may hold. `member`: the name of the one that is wrong, in bytes, as it is in the archive. */
export class ArchiveError extends NspawnError {
  override readonly name = "ArchiveError";
  readonly archive: string;
  readonly member: ByteName | undefined;

  /** @param what goes on after the names: `has .. in its name` */
  constructor(
    archive: string,
    what: string,
    options: { readonly member?: ByteName | undefined; readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    const { member } = options;
    super(`${archive} cannot be extracted: ${member === undefined ? "it" : `its member ${quoteName(member)}`} ${what}`, options);
    this.archive = archive;
    this.member = member;
  }
}

/** What is wrong in an archive, said by a part that does not know its name: a text that goes on after the name of archive or member. */
export class Flaw extends Error {
  readonly hint: string | undefined;

  constructor(what: string, hint?: string) {
    super(what);
    this.hint = hint;
  }
}

/** A name from an archive for messages: printable, on one line, and shortened. */
export function quoteName(name: ByteName): string {
  return shorten(JSON.stringify(showName(name)).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "\ufffd"));
}
