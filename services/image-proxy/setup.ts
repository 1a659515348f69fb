#!/usr/bin/env nspawn-setup
// The machine of the proxy. It shares the host's network, and listens on a port of the host.
import { existsSync } from "node:fs";
import { IMAGE, MACHINE, RUN, TOOL, WITH } from "nspawn/setup";
import { imageUrl } from "../debian.ts";

const port = TOOL.config("hatch/image-proxy/port") ?? 3128;
const intercept = TOOL.config("hatch/image-proxy/tls_intercept");
const own = "/etc/nspawn/hatch/image-proxy";
const cas = "/etc/ssl/certs/ca-certificates.crt";
// Servers behind intercepted connections are good if this host trusts them.
const hostCas = existsSync(cas) ? [{ source: cas, target: cas }] : [];

IMAGE(imageUrl("image-proxy"));
MACHINE({
  name: "image-proxy",
  unitConf: ["Description=Caching proxy for images and packages (nspawn-hatch)"],
  serviceConf: ["Restart=on-failure", "RestartSec=2s"],
  probe: { tcp: `localhost:${port}` },
});
WITH({
  Hostname: "image-proxy",
  Bind: [
    { source: `${TOOL.config("hatch/image-proxy/cache_folder")}/`, target: "/var/spool/squid" },
    { source: `${TOOL.config("hatch/image-proxy/log_folder")}/`, target: "/var/log/squid" },
  ],
  ...(intercept ? { BindReadOnly: [{ source: `${own}/tls/`, target: "/etc/squid/tls" }, ...hostCas] } : {}),
});
// What this host's commands have to know of the proxy, and the CA if one is needed.
RUN([
  "sh",
  "provision.sh",
  own,
  String(port),
  intercept ? "intercept" : "tunnel",
  TOOL.config("hatch/image-proxy/use_here") ? "use" : "leave",
]);
