import { existsSync } from "node:fs";
import { BOOTSTRAP, PULL, SH, TOOL, WITH } from "nspawn/build";

/**
 * What the packaged services stand on: a Debian that boots, or the image that `[hatch] base` names, with more packages. The bottom is the
 * same for all of them, so that it is made once.
 */
export function debian(packages: readonly string[]): void {
  const base = TOOL.config("hatch/base");
  const mirror = TOOL.config("hatch/mirror");
  if (base !== "") PULL(base);
  else
    BOOTSTRAP({
      distribution: "debian",
      release: TOOL.config("hatch/release"),
      packages: ["systemd", "systemd-sysv", "dbus", "ca-certificates", "logrotate"],
      ...(mirror === "" ? {} : { mirror }),
    });
  WITH({ Boot: true, NotifyReady: true, Register: true, LinkJournal: "no" });
  // No service is started while its package is installed: systemd starts them in the machine.
  SH(`printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends ${packages.join(" ")}
apt-get clean
rm -rf /usr/sbin/policy-rc.d /var/lib/apt/lists/*
systemctl mask --quiet console-getty.service getty.target systemd-logind.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer`);
}

/** URL of a service's own image, on this host. */
export function imageUrl(service: string): string {
  return `file://${TOOL.config("hatch/images")}/${service}.tar.zst`;
}

/** Whether this host knows IPv6: a server that listens there would not start without. */
export const hasIpv6 = existsSync("/proc/net/if_inet6");
