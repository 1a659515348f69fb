#!/usr/bin/env nspawn-setup
// The machine of the image server. It shares the host's network, and listens on the host's ports.
import { IMAGE, MACHINE, RUN, TOOL, WITH } from "nspawn/setup";
import { imageUrl } from "../debian.ts";
import { hostName } from "./settings.ts";

const port = TOOL.config("hatch/image-server/https_port");
const userFile = TOOL.config("hatch/image-server/user_file");
const own = "/etc/nspawn/hatch/image-server";

IMAGE(imageUrl("image-server"));
MACHINE({
  name: "image-server",
  unitConf: ["Description=Images over HTTP and HTTPS (nspawn-hatch)"],
  serviceConf: ["Restart=on-failure", "RestartSec=2s"],
  ...(port === undefined ? {} : { probe: { tcp: `localhost:${port}` } }),
});
WITH({
  Hostname: "image-server",
  Bind: [
    { source: `${TOOL.config("hatch/image-server/store_folder")}/`, target: "/srv/images" },
    { source: `${TOOL.config("hatch/image-server/log_folder")}/`, target: "/var/log/image-server" },
  ],
  BindReadOnly: [
    { source: `${own}/tls/`, target: "/etc/nginx/tls" },
    { source: userFile, target: "/etc/nginx/users" },
  ],
});
// Password, CA and certificate, where they are not there; and what this host's commands have to know of them.
RUN([
  "sh",
  "provision.sh",
  own,
  hostName(),
  TOOL.config("hatch/image-server/username"),
  userFile,
  ...TOOL.config("hatch/image-server/other_names"),
]);
