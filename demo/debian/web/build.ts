#!/usr/bin/env nspawn-build
// A web server: what it adds to the base is all that this image holds.
import { CAST, COPY, IMAGE, PULL, PUSH, RUN, SH, WITH } from "nspawn/build";
import { packages } from "./packages.ts";

IMAGE("file:///srv/nspawn-demo/debian/web.tar.zst");
PULL("file:///srv/nspawn-demo/debian/base.tar.zst");
WITH({ Environment: { DEBIAN_FRONTEND: "noninteractive" } });
SH(`apt-get update && apt-get install --yes --no-install-recommends ${packages.join(" ")} && apt-get clean && rm -rf /var/lib/apt/lists/*`);
COPY("/etc");
CAST("/srv/www/index.html", { title: "Hello from nspawn", packages });
RUN(["nginx", "-t", "-q"]);
PUSH();
