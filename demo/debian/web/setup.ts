#!/usr/bin/env nspawn-setup
// The web server as a machine: booted, registered, with an ethernet link of its own to the host.
import { IMAGE, MACHINE, SH, WITH } from "nspawn/setup";

IMAGE("file:///srv/nspawn-demo/debian/web.tar.zst");
MACHINE({ name: "web", unitConf: ["Description=Demo web server"], serviceConf: ["CPUQuota=50%"] });
WITH({
  Hostname: "web",
  Register: true,
  VirtualEthernet: true,
  NotifyReady: true,
  Bind: { source: "/srv/web-data/", target: "/srv/data" },
});
SH("mkdir -p /srv/web-data && echo 'kept on the host' > /srv/web-data/note");
