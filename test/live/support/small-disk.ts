import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, runProgram, type Sandbox } from "./build.js";

/** What is left on a disk: KiB, or inodes. */
export type Left = { readonly kib: number } | { readonly inodes: number };

/** A file system in memory that can be made small, seen by what runs in its sandbox. */
export class SmallDisk {
  /** Where it is mounted. */
  readonly folder: string;
  readonly #sandbox: Sandbox;

  private constructor(folder: string, sandbox: Sandbox) {
    this.folder = folder;
    this.#sandbox = sandbox;
  }

  /** @param folder made here; the disk goes away with the sandbox */
  static async mount(folder: string, sandbox: Sandbox): Promise<SmallDisk> {
    mkdirSync(folder);
    await runProgram([...sandbox.within, "mount", "-t", "tmpfs", "-o", large, "tmpfs", folder]);
    return new SmallDisk(folder, sandbox);
  }

  /** Where this process sees a path of the disk. */
  path(...names: readonly string[]): string {
    return this.#sandbox.path(join(this.folder, ...names));
  }

  /** Leaves so much on the disk and no more. Inodes are taken to the last one by empty files, since the kernel counts them roughly. */
  async leave(left: Left): Promise<void> {
    const { bsize, blocks, bfree, files, ffree } = statfsSync(this.path());
    // A size of 0 means any.
    if ("kib" in left) return this.#remount(`size=${Math.max(1, ((blocks - bfree) * bsize) / 1024 + left.kib)}k`);
    mkdirSync(this.path("fill"));
    await this.#remount(`nr_inodes=${files - ffree + left.inodes + 20}`);
    for (let free = statfsSync(this.path()).ffree; free > left.inodes; free--) writeFileSync(this.path("fill", String(free)), "");
  }

  /** Makes room. */
  async grow(): Promise<void> {
    rmSync(this.path("fill"), { recursive: true, force: true });
    await this.#remount(large);
  }

  clear(): void {
    for (const name of readdirSync(this.path())) rmSync(this.path(name), { recursive: true });
  }

  async #remount(options: string): Promise<void> {
    await runProgram([...this.#sandbox.within, "mount", "-o", `remount,${options}`, this.folder]);
  }
}

const large = "size=64m,nr_inodes=100000,mode=0755";

/** Why a command that found no room did not end in a clear error: exit code 1, which disk, how much is left there, and what to do. */
export function unclear({ code, stderr }: Ended, disk: string): string | undefined {
  const hint = /^ {2}hint: (.*)$/m.exec(stderr)?.[1] ?? "";
  // What BusyBox says; and an overlay is mounted read-only where there is no inode for its work folder.
  const other = /I\/O error|Read-only file system/;
  const says = /is full|No space left on device|not enough room/.test(stderr) || other.test(stderr);
  const names = stderr.includes(disk);
  const isClear = code === 1 && says && names && hint.includes("make room there") && !/ENOENT|no such file|this is a defect/.test(stderr);
  return isClear ? undefined : `code ${code}\n${stderr}`;
}
