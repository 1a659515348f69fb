#!/usr/bin/env nspawn-build
// A web server for images: nginx with uploads by PUT, and a page that shows what there is.
import { CAST, COPY, IMAGE, PUSH, SH, TOOL } from "nspawn/build";
import { debian, hasIpv6, imageUrl } from "../debian.ts";
import { hostName } from "./settings.ts";

const httpsPort = TOOL.config("hatch/image-server/https_port");
if (httpsPort === undefined) throw new Error("[hatch/image-server] https_port is not set: uploads need HTTPS");

IMAGE(imageUrl("image-server"));
debian(["nginx", "inotify-tools", "python3", "python3-jinja2", "python3-yaml", "xz-utils", "zstd"]);
COPY("/etc/systemd");
COPY("/etc/logrotate.d");
COPY("/etc/tmpfiles.d");
COPY("/usr");
COPY("/etc/nginx/page-headers.conf");
CAST("/etc/nginx/nginx.conf", {
  https_port: httpsPort,
  http_port: TOOL.config("hatch/image-server/http_port") ?? null,
  http_upload: TOOL.config("hatch/image-server/http_upload"),
  anonymous: TOOL.config("hatch/image-server/anonymous"),
  upload_limit: TOOL.config("hatch/image-server/upload_limit"),
  ipv6: hasIpv6,
});
CAST("/etc/image-server.json", { url: `https://${hostName()}${httpsPort === 443 ? "" : `:${httpsPort}`}` });
SH(`rm -f /etc/logrotate.d/nginx /etc/nginx/sites-enabled/default
systemctl enable --quiet image-index.service nginx.service nginx-reload.path`);
PUSH();
