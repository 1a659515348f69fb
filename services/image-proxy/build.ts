#!/usr/bin/env nspawn-build
// A caching proxy for images and packages: squid.
import { CAST, COPY, IMAGE, PUSH, RUN, SH, TOOL } from "nspawn/build";
import { debian, imageUrl } from "../debian.ts";

const port = TOOL.config("hatch/image-proxy/port");
if (port === undefined) throw new Error("[hatch/image-proxy] port is not set");
const intercept = TOOL.config("hatch/image-proxy/tls_intercept");
const megabytes = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1024 ** 2));

IMAGE(imageUrl("image-proxy"));
debian([intercept ? "squid-openssl" : "squid"]);
COPY("/etc/systemd");
COPY("/etc/tmpfiles.d");
COPY("/etc/logrotate.d");
CAST("/etc/squid", {
  port,
  intercept,
  allowed_networks: TOOL.config("hatch/image-proxy/allowed_networks"),
  cache_megabytes: megabytes(TOOL.config("hatch/image-proxy/cache_size")),
  largest_megabytes: megabytes(TOOL.config("hatch/image-proxy/largest_object")),
  store_id_rules: TOOL.config("hatch/image-proxy/store_id_rules").map((rule) => rule.split(/\s+/)),
});
SH("rm -f /etc/logrotate.d/squid && systemctl enable --quiet squid.service");
// With the CA, which is on the host only, squid looks at its configuration when it starts.
if (!intercept) RUN(["squid", "-k", "parse"]);
PUSH();
