import { spawnSync } from "node:child_process";

/** What systemd-nspawn says of options before it looks at the root: it gets one that is not there. */
export function complaintOf(options: readonly string[]): string {
  const argv = ["--quiet", "--settings=no", "--register=no", "--keep-unit", "--directory=/nonexistent-root", ...options, "--", "true"];
  const { stderr, error } = spawnSync("systemd-nspawn", argv, { encoding: "utf8", timeout: 20_000, stdio: ["ignore", "ignore", "pipe"] });
  if (error) throw error;
  return stderr.trim();
}

/** Whether a complaint is about the host as it is: the root that is not there, an interface, a file of a credential. */
export function isAboutHost(complaint: string): boolean {
  return /nonexistent-root|Failed to (get device|read credential)|is not initialized yet/.test(complaint);
}

/** The version of systemd on this host. */
export const systemdVersion = Number(/^systemd (\d+)/.exec(spawnSync("systemd-nspawn", ["--version"], { encoding: "utf8" }).stdout)?.[1]);
