import type { Writable } from "node:stream";
import type { MoveFrom, TakePiece } from "../host/pieces.js";
import type { FreeSpace } from "./free-space.js";
import type { MemberRules } from "./member-rules.js";
import { TarReader } from "./tar-reader.js";

/**
 * Stands between a tar archive and tar: it reads each piece before that is passed on, unchanged, and lets nothing through from the first member on
 * that must not be extracted, or where the disk would be full.
 */
export class Guard {
  readonly #reader: TarReader;
  readonly #space: FreeSpace;
  /** What has been looked through, and waits for tar to be started, or for a look at the disk. */
  readonly #waiting: Waiting[] = [];
  #tar: Writable | undefined;
  #moveFrom: MoveFrom = () => 0;
  #state: "open" | "looking" | "finished" | "stopped" = "open";

  /** @param archive what it is, for errors */
  constructor(archive: string, rules: MemberRules, space: FreeSpace) {
    this.#space = space;
    this.#reader = new TarReader(archive, (member) => {
      rules.check(member);
      return undefined;
    });
  }

  /**
   * Takes a piece of the archive. It is `done` when tar has it, or needs it no more; with an ArchiveError or NspawnError, where nothing more is let
   * through.
   */
  readonly take: TakePiece = (piece, done) => {
    try {
      if (this.#state === "stopped") throw new Error("nothing is extracted any more");
      this.#reader.read(piece);
    } catch (error) {
      this.stop();
      done(error as Error);
      return;
    }
    this.#waiting.push({ piece, done });
    this.#passOn();
  };

  /**
   * Moves on what is content of a member, which nobody looks at, straight from the pipe that the archive comes through.
   * @returns how many bytes of it are still to come
   */
  readonly pass = (from: number): number => {
    while (this.#state === "open" && this.#waiting.length === 0 && this.#reader.unseen >= least) {
      const moved = this.#moveFrom(from, Math.min(this.#reader.unseen, this.#space.left));
      if (moved === 0) break;
      this.#reader.skip(moved);
      void this.#space.wrote(moved);
    }
    return this.#reader.unseen;
  };

  /** Has all that is let through written to tar. */
  readonly feed = (tar: Writable, moveFrom: MoveFrom = () => 0): void => {
    this.#tar = tar;
    this.#moveFrom = moveFrom;
    if (this.#state === "stopped") tar.destroy();
    else if (this.#state === "finished") tar.end();
    else this.#passOn();
  };

  /**
   * Ends what tar reads. To be called when all has been taken, and whatever wrote it has found nothing wrong with it.
   * @throws ArchiveError if something is missing
   */
  finish(): void {
    this.#reader.close();
    this.#state = "finished";
    this.#tar?.end();
  }

  /** From now on nothing is let through. */
  stop(): void {
    this.#state = "stopped";
    this.#tar?.destroy();
    for (const { done } of this.#waiting.splice(0)) done();
  }

  #passOn(): void {
    // No promises on this way but for the looks: gigabytes take it in pieces of 64 KiB.
    while (this.#tar && this.#state === "open") {
      const next = this.#waiting.shift();
      if (!next) return;
      const look = this.#space.wrote(next.piece.length);
      if (look) this.#passAfter(look, next);
      else this.#pass(next);
    }
  }

  #passAfter(look: Promise<void>, next: Waiting): void {
    this.#state = "looking";
    look.then(
      () => {
        if (this.#state === "looking") this.#state = "open";
        this.#pass(next);
        this.#passOn();
      },
      (error: Error) => {
        this.stop();
        next.done(error);
      },
    );
  }

  /** tar may have ended before it has read everything, as it does at the end mark: then its exit code tells what that means. */
  #pass({ piece, done }: Waiting): void {
    this.#tar?.write(piece, () => done());
  }
}

/** Fewer bytes are read and written in less time than they are moved. */
const least = 1 << 14;

type Waiting = { readonly piece: Buffer; readonly done: (error?: Error) => void };
