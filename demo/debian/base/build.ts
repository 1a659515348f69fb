#!/usr/bin/env nspawn-build
// A root file system for machines that boot: Debian with systemd, from Debian's own packages.
import { BOOTSTRAP, IMAGE, PUSH, SH, WITH } from "nspawn/build";

IMAGE("file:///srv/nspawn-demo/debian/base.tar.zst");
BOOTSTRAP({
  distribution: "debian",
  release: "bookworm",
  packages: ["systemd", "systemd-sysv", "dbus", "iproute2"],
});
WITH({ Boot: true, Quiet: true });
// No terminals and no logins are needed: a machine is entered from the host.
SH("systemctl mask --quiet console-getty.service getty.target systemd-logind.service");
PUSH();
