import type { DisposableHost } from "./host.ts";

/**
 * All that a machine can leave on a host, a line each: files with their modes, mounts, units and their enablement, control groups,
 * network links, registered machines. The lines of a host that is as it was are the same.
 */
export async function hostState(host: DisposableHost): Promise<readonly string[]> {
  const text = await host.shell(script);
  return text.trim().split("\n");
}

/** Folders that are there for all machines stay: systemd's own, and ours in the store. Files of layers are no machine's. */
const script = String.raw`
find /etc/systemd /var/lib/machines /var/lib/nspawn/runtime /var/lib/nspawn/generation /run/systemd/nspawn /run/systemd/machines \
  /run/systemd/system /run/systemd/transient /var/lib/systemd/nspawn -mindepth 1 \
  ! -path /run/systemd/nspawn/propagate ! -path /run/systemd/nspawn/unix-export \
  ! -path /etc/systemd/system/machines.target.wants ! -path '*/transient/session-*' -printf 'file %p %y %m %l\n' 2>/dev/null | sort
sed -E 's/^[0-9]+ [0-9]+ [0-9]+:[0-9]+ [^ ]+ ([^ ]+) .* - ([^ ]+) .*/mount \1 \2/' /proc/self/mountinfo | grep -v /run/credentials | sort
systemctl list-units --all --plain --no-legend --type=service,scope,slice,mount | cut -d' ' -f1 |
  grep -v -E 'getty|^session-|^user|^run-u|modprobe@|^systemd-|^credentials|^run-credentials|machine.slice|^system-modprobe' | sed 's/^/unit /' | sort
systemctl list-unit-files --no-legend | sed -E 's/ +/ /g; s/^/unit file /' | sort
find /sys/fs/cgroup/machine.slice -mindepth 1 -type d -printf 'group %p\n' 2>/dev/null | sort
ls /sys/class/net | sed 's/^/link /'
machinectl list --no-legend | sed 's/^/machine /'
`;
