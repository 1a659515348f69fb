import { programPath } from "../host/programs.js";
import type { Setting } from "../settings/merge.js";
import { unitCommand } from "./quote.js";

/**
 * Commands for ExecStopPost= that take away what systemd-nspawn removes when it ends, but not when it is killed (by the watchdog, by a stop
 * that takes too long, by kill -9). Version 257 does not even start the machine again while its mount for sockets is there, or its name is taken. Later ones
 * have `--cleanup` for that, which leaves the folders. A bridge of a zone stays as long as other machines use it.
 */
export function cleanCommands(name: string, settings: readonly Setting[]): readonly string[] {
  const run = "/run/systemd/nspawn";
  // The places of versions 257 and 258, then those of all.
  const folders = [`${run}/unix-export/${name}`, `${run}/${name}/unix-export`, `${run}/${name}`, `${run}/propagate/${name}`];
  const zones = settings.filter((setting) => setting.name === "Zone").map(({ value }) => `vz-${value}`);
  return [shell(removeFolders, folders), ...zones.map((bridge) => shell(removeBridge, [bridge])), shell(unregister, [name])];
}

const removeFolders =
  'for folder; do ! test -d "$folder" || { umount --quiet --lazy "$folder"; rmdir --ignore-fail-on-non-empty "$folder"; }; done';

/**
 * systemd-machined forgets a machine when its unit ends, which it does not where Restart= starts it again at once: version 257 refuses that one
 * then, "already exists". UnregisterMachine ends nothing but the name.
 */
const unregister = [
  'test "$EXIT_CODE" = exited || test ! -e "/run/systemd/machines/$1" || busctl --quiet call org.freedesktop.machine1 /org/freedesktop/machine1',
  'org.freedesktop.machine1.Manager UnregisterMachine s "$1"',
].join(" ");

/** The kernel takes a moment to take a dead machine's link off the bridge; only after a crash is that worth a wait. */
const removeBridge = [
  'test "$EXIT_CODE" = exited || for i in 1 2 3 4 5 6 7 8 9 10; do',
  'test -d "/sys/class/net/$1/brif" || break;',
  'test -n "$(ls -A "/sys/class/net/$1/brif")" || { ip link delete "$1"; break; }; sleep 0.1; done',
].join(" ");

function shell(script: string, words: readonly string[]): string {
  return unitCommand([programPath("sh"), "-c", script, "sh", ...words]);
}
