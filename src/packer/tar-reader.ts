import type { ByteName } from "../base/byte-path.js";
import { ArchiveError, Flaw } from "./archive-error.js";
import { type PaxFields, readPax } from "./pax.js";
import { readOldSparse, SparseParts, SparseText } from "./sparse-map.js";
import { blockSize, isZero, readDevice, readHeader, type TarHeader } from "./tar-header.js";

/** A member of a tar archive. `bytes`: of content, without holes; `link`: what a link leads to; `device`: major and minor number. */
export type TarMember = { readonly name: ByteName; readonly bytes: number } & (
  | { readonly kind: "file" | "folder" | "fifo" }
  | { readonly kind: "symlink" | "hardlink"; readonly link: ByteName }
  | { readonly kind: "character" | "block"; readonly device: readonly [number, number] }
);

/** Gets each member before its header is passed on; throws a {@link Flaw} to refuse it. May return what takes its content. */
export type TakeMember = (member: TarMember) => ((content: Buffer) => void) | undefined;

/** What the next block is. */
type State =
  | { readonly kind: "header" }
  | { readonly kind: "extension"; readonly type: "x" | "g" | "L" | "K"; readonly content: Buffer; filled: number }
  | { readonly kind: "old-sparse"; readonly parts: SparseParts; readonly bytes: number }
  | { readonly kind: "sparse-text"; readonly text: SparseText; readonly bytes: number }
  | { readonly kind: "end-mark" }
  | { readonly kind: "end" };

type StateOf<K extends State["kind"]> = Extract<State, { readonly kind: K }>;

/** What extensions say of the member that follows them. */
type Pending = { pax?: PaxFields; name?: ByteName; link?: ByteName };

/**
 * Reads the headers of a tar archive as it passes: POSIX (ustar, pax) and the formats of GNU tar, with long names and sparse files. Where
 * tar(1) would guess, or other programs read something else, it refuses, so that what it tells of an archive is what tar makes of it.
 * Memory stays flat, whatever the archive.
 */
export class TarReader {
  readonly #archive: string;
  readonly #take: TakeMember;
  #state: State = header;
  /** A block that has come in part. */
  readonly #block = Buffer.alloc(blockSize);
  #filled = 0;
  /** Bytes that are still to come of a member's content, and of what fills its last block. */
  #content = 0;
  #padding = 0;
  #onContent: ((content: Buffer) => void) | undefined;
  #pending: Pending = {};
  #member: ByteName | undefined;

  /** @param archive what it is, for errors */
  constructor(archive: string, take: TakeMember) {
    this.#archive = archive;
    this.#take = take;
  }

  /** @throws ArchiveError for the first thing that is wrong in this part */
  read(chunk: Buffer): void {
    try {
      for (let at = 0; at < chunk.length; ) at += this.#read(chunk, at);
    } catch (error) {
      if (!(error instanceof Flaw)) throw error;
      throw new ArchiveError(this.#archive, error.message, { member: this.#member, hint: error.hint });
    }
  }

  /**
   * To be called behind the last part.
   * @throws ArchiveError if something is missing
   */
  close(): void {
    if (this.#state.kind === "end") return;
    const inside = this.#content > 0 || this.#filled > 0 || !["header", "end-mark"].includes(this.#state.kind);
    if (inside && this.#member !== undefined) throw new ArchiveError(this.#archive, "is cut off", { member: this.#member });
    throw new ArchiveError(this.#archive, "is cut off: it has no end mark", { hint: "the archive or its download is incomplete" });
  }

  /** How many of the next bytes are content that nobody takes. */
  get unseen(): number {
    return this.#onContent ? 0 : this.#content;
  }

  /** Leaves out bytes of such content, no more than there are. */
  skip(bytes: number): void {
    this.#content -= bytes;
  }

  /** Reads some of a part, and returns how many bytes. */
  #read(chunk: Buffer, at: number): number {
    const left = chunk.length - at;
    if (this.#content > 0) {
      const bytes = Math.min(this.#content, left);
      this.#content -= bytes;
      this.#onContent?.(chunk.subarray(at, at + bytes));
      return bytes;
    }
    if (this.#padding > 0) {
      const bytes = Math.min(this.#padding, left);
      this.#padding -= bytes;
      return bytes;
    }
    if (this.#state.kind === "end") {
      this.#member = undefined;
      if (!isZero(chunk.subarray(at)))
        throw new Flaw("has more data behind its end mark", "archives that were put together cannot be read");
      return left;
    }
    if (this.#filled === 0 && left >= blockSize) {
      this.#takeBlock(chunk.subarray(at, at + blockSize));
      return blockSize;
    }
    const bytes = chunk.copy(this.#block, this.#filled, at, at + blockSize - this.#filled);
    this.#filled += bytes;
    if (this.#filled === blockSize) {
      this.#filled = 0;
      this.#takeBlock(this.#block);
    }
    return bytes;
  }

  #takeBlock(block: Buffer): void {
    const state = this.#state;
    if (state.kind === "header") this.#header(block);
    else if (state.kind === "extension") this.#extension(block, state);
    else if (state.kind === "old-sparse") this.#oldSparse(block, "more", state);
    else if (state.kind === "sparse-text") this.#sparseText(block, state);
    else this.#endMark(block);
  }

  #header(block: Buffer): void {
    const read = readHeader(block);
    if (!read) {
      this.#state = { kind: "end-mark" };
      if (Object.keys(this.#pending).length > 0) throw new Flaw("ends behind a header that belongs to a member");
      return;
    }
    if (isExtension(read.type)) this.#beginExtension(read.type, read.size);
    else this.#beginMember(block, read);
  }

  #endMark(block: Buffer): void {
    this.#member = undefined;
    // tar would stop here, and leave out the rest.
    if (!isZero(block)) throw new Flaw("has half an end mark in its middle");
    this.#state = { kind: "end" };
  }

  #beginExtension(type: StateOf<"extension">["type"], size: number): void {
    this.#member = undefined;
    const isName = type === "L" || type === "K";
    if (size > (isName ? longestName : maxPaxBytes)) {
      throw new Flaw(isName ? `has a name of more than ${longestName} bytes` : "has a huge pax header");
    }
    // A name goes on up to a NUL, whatever its header says: tar looks for that in all of the blocks.
    const length = isName ? Math.ceil(size / blockSize) * blockSize : size;
    const state = { kind: "extension", type, content: Buffer.alloc(length), filled: 0 } as const satisfies State;
    if (length > 0) this.#state = state;
    else this.#extended(state);
  }

  #extension(block: Buffer, state: StateOf<"extension">): void {
    state.filled += block.copy(state.content, state.filled);
    if (state.filled < state.content.length) return;
    this.#extended(state);
  }

  #extended({ type, content }: StateOf<"extension">): void {
    this.#state = header;
    if (type === "g") {
      readPax(content, { global: true });
      return;
    }
    const key = ({ x: "pax", L: "name", K: "link" } as const)[type];
    if (this.#pending[key] !== undefined) throw new Flaw("has two headers of one kind for one member");
    if (type === "x") this.#pending.pax = readPax(content, { global: false });
    else this.#pending[type === "L" ? "name" : "link"] = upToNul(content);
  }

  #beginMember(block: Buffer, read: TarHeader): void {
    const { pax, name: longName, link: longLink } = this.#pending;
    this.#pending = {};
    const name = pax?.path ?? longName ?? read.name;
    this.#member = name;
    if ((longName !== undefined && pax?.path !== undefined) || (longLink !== undefined && pax?.linkpath !== undefined)) {
      throw new Flaw("has its name or target twice, in two ways");
    }
    const member = memberOf(block, read, { name, link: pax?.linkpath ?? longLink ?? read.link, size: pax?.size });
    checkSparse(member, read, pax);
    this.#onContent = this.#take(member);
    if (read.type === "S") this.#oldSparse(block, "header", { kind: "old-sparse", parts: new SparseParts(), bytes: member.bytes });
    else if (pax?.sparse?.version === 1) this.#state = { kind: "sparse-text", text: new SparseText(), bytes: member.bytes };
    else {
      if (pax?.sparse) SparseParts.check(pax.sparse.map, member.bytes);
      this.#beginContent(member.bytes);
    }
  }

  #oldSparse(block: Buffer, where: "header" | "more", state: StateOf<"old-sparse">): void {
    this.#state = state;
    if (readOldSparse(block, where, state.parts)) return;
    state.parts.check(state.bytes);
    this.#beginContent(state.bytes);
  }

  #sparseText(block: Buffer, { text, bytes }: StateOf<"sparse-text">): void {
    if (text.read(block)) return;
    text.parts.check(bytes - text.bytes);
    this.#beginContent(bytes - text.bytes);
  }

  #beginContent(bytes: number): void {
    this.#state = header;
    this.#content = bytes;
    this.#padding = (blockSize - (bytes % blockSize)) % blockSize;
  }
}

const header: State = { kind: "header" };

/** Bytes of a name with the NUL at its end that can be read here, so that its length can be refused with the name. */
const longestName = 1 << 16;

/** Attributes of a file have 64 KiB at most in the kernel's hands (xattr(7)). */
const maxPaxBytes = 1 << 20;

function isExtension(type: string): type is StateOf<"extension">["type"] {
  return type === "x" || type === "g" || type === "L" || type === "K";
}

const kinds: ReadonlyMap<string, TarMember["kind"]> = new Map([
  ["0", "file"],
  ["\0", "file"],
  ["7", "file"],
  ["S", "file"],
  ["1", "hardlink"],
  ["2", "symlink"],
  ["3", "character"],
  ["4", "block"],
  ["5", "folder"],
  ["6", "fifo"],
]);

function memberOf(
  block: Buffer,
  { type, size, format }: TarHeader,
  { name, link, size: paxSize }: { readonly name: ByteName; readonly link: ByteName; readonly size: number | undefined },
): TarMember {
  const written = kinds.get(type);
  if (!written) throw new Flaw(`is of the type ${JSON.stringify(type)}, which cannot be read`);
  // As BSD's tar once wrote them.
  const kind = written === "file" && name.endsWith("/") ? "folder" : written;
  // Old programs put the size of the file into a hard link, without its content.
  const bytes = paxSize ?? (kind === "hardlink" ? 0 : size);
  if (kind !== "file" && bytes > 0) throw new Flaw(`is a ${kind} with content`);
  switch (kind) {
    case "symlink":
    case "hardlink":
      return { kind, name, bytes, link };
    case "character":
    case "block":
      return { kind, name, bytes, device: format === "v7" ? [0, 0] : readDevice(block) };
    default:
      return { kind, name, bytes };
  }
}

/** tar looks for a map only in the format that it belongs to. */
function checkSparse({ kind }: TarMember, { type, format }: TarHeader, pax: PaxFields | undefined): void {
  const right = type === "S" ? format === "gnu" && !pax?.sparse : !pax?.sparse || format === "ustar";
  if (!right || (kind !== "file" && (type === "S" || pax?.sparse))) throw new Flaw("is a sparse file in a format that has none");
}

function upToNul(content: Buffer): ByteName {
  const end = content.indexOf(0);
  return content.toString("latin1", 0, end === -1 ? content.length : end);
}
