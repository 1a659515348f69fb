#!/usr/bin/env nspawn-build
// A copy of a folder of images in S3: rclone, started whenever files change.
import { CAST, COPY, IMAGE, PUSH, SH, TOOL } from "nspawn/build";
import { debian, imageUrl } from "../debian.ts";

const bucket = TOOL.config("hatch/image-syncer/bucket");
if (bucket === "") throw new Error("[hatch/image-syncer] bucket is not set");

IMAGE(imageUrl("image-syncer"));
debian(["rclone", "inotify-tools", "python3"]);
COPY("/etc/systemd");
COPY("/etc/logrotate.d");
COPY("/etc/tmpfiles.d");
COPY("/usr");
CAST("/etc/image-syncer.json", {
  settings: JSON.stringify({
    bucket,
    prefix: TOOL.config("hatch/image-syncer/prefix"),
    endpoint: TOOL.config("hatch/image-syncer/endpoint"),
    region: TOOL.config("hatch/image-syncer/region"),
    acl: TOOL.config("hatch/image-syncer/object_mode"),
    include: TOOL.config("hatch/image-syncer/include"),
    exclude: TOOL.config("hatch/image-syncer/exclude"),
    delete: TOOL.config("hatch/image-syncer/delete"),
    expire_age: TOOL.config("hatch/image-syncer/expire_age"),
    expire_period: TOOL.config("hatch/image-syncer/expire_period"),
  }),
});
SH("systemctl enable --quiet image-syncer.service");
PUSH();
