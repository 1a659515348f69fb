import { hasProgram, programPath } from "./programs.js";

/**
 * What is put before a program and its arguments to have it begin with wide pipes, as far as its standard input and output are any: they hold
 * 1 MiB then, as anyone may have it (pipe(7), /proc/sys/fs/pipe-max-size), and not 64 KiB. Two programs that pass on gigabytes wait for each other
 * less often: a pull takes a sixth less time. Node cannot ask the kernel for that, perl(1) can; without it, pipes are as they are.
 */
export function widening(): readonly string[] {
  return hasProgram("perl") ? [programPath("perl"), "-e", script, "--"] : [];
}

/** F_SETPIPE_SZ, see fcntl(2): refused for what is no pipe, or where this user has many of them, and then left alone. */
const script = "fcntl $_, 1031, 1 << 20 for *STDIN, *STDOUT; exec { $ARGV[0] } @ARGV or exit 127";
