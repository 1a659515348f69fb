import type { Report } from "../base/events.js";
import type { Config } from "../config/config.js";
import type { Host } from "../host/host.js";
import type { ImageStore } from "../image/store.js";
import type { Transports } from "../transport/transports.js";

/** What every piece of work needs around it. */
export type EngineContext = { readonly host: Host; readonly config: Config; readonly report: Report };

/** The same with the image store open, and with the ways to images. */
export type SetupContext = EngineContext & { readonly store: ImageStore; readonly transports: Transports };
