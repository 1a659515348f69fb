#!/usr/bin/env nspawn-setup
// The machine of the syncer. It shares the host's network, and sees the images read-only.
import { statSync } from "node:fs";
import { IMAGE, MACHINE, RUN, TOOL, WITH } from "nspawn/setup";
import { imageUrl } from "../debian.ts";

const keyFile = TOOL.config("hatch/image-syncer/key_file");

IMAGE(imageUrl("image-syncer"));
MACHINE({
  name: "image-syncer",
  unitConf: ["Description=Copy of the images in S3 (nspawn-hatch)"],
  serviceConf: ["Restart=on-failure", "RestartSec=2s"],
  probe: { command: ["systemctl", "is-active", "--quiet", "image-syncer.service"] },
});
WITH({
  Hostname: "image-syncer",
  BindReadOnly: [{ source: `${TOOL.config("hatch/image-syncer/store_folder")}/`, target: "/srv/images" }],
  Bind: [{ source: `${TOOL.config("hatch/image-syncer/log_folder")}/`, target: "/var/log/image-syncer" }],
  // The keys are read when the machine starts, so an update after they were changed has to restart it.
  LoadCredential: `s3-keys:${keyFile}`,
  Environment: { S3_KEYS_OF: String(statSync(keyFile, { throwIfNoEntry: false })?.mtimeMs ?? 0) },
});
RUN(["sh", "check-keys.sh", keyFile]);
