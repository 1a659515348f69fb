#!/usr/bin/env nspawn-setup
// A plain machine, to look around in: machinectl shell base
import { IMAGE, MACHINE, WITH } from "nspawn/setup";

IMAGE("file:///srv/nspawn-demo/debian/base.tar.zst");
MACHINE({ name: "base", serviceConf: ["MemoryMax=256M"] });
WITH({ Hostname: "base", Private: true });
