import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "../../src/base/events.js";
import { loadConfig } from "../../src/config/load.js";
import type { Transport, Upload } from "../../src/transport/transport.js";
import { Transports } from "../../src/transport/transports.js";
import { digestOf, ref } from "./archive.js";
import { quickRetries } from "./config.js";
import { tempFolder } from "./temp.js";

/** Transports with a configuration of their own, and what they report. */
export type TestTransports = {
  readonly transports: Transports;
  readonly events: readonly Event[];
  warnings(): readonly string[];
  /** The transport for a URL. */
  of(url: string): Promise<Transport>;
};

/** @param overrides as in `--config`: `[section]key=value` */
export function testTransports(
  overrides: readonly string[] = [],
  {
    environment = {},
    interrupted = new AbortController().signal,
  }: { environment?: Readonly<Record<string, string>>; interrupted?: AbortSignal } = {},
): TestTransports {
  const { config } = loadConfig({ environment: {}, overrides: ["[config]path_list=", quickRetries, ...overrides] });
  const events: Event[] = [];
  const transports = new Transports(config, environment, (event) => void events.push(event), interrupted);
  return {
    transports,
    events,
    warnings: () => events.flatMap((event) => (event.kind === "warning" ? [event.text] : [])),
    of: (url) => transports.for(ref(url)),
  };
}

/** A file with some content, to be published. */
export function uploadOf(content: Buffer | string): Upload {
  const path = join(tempFolder(), "upload");
  writeFileSync(path, content);
  return { path, bytes: readFileSync(path).length, digest: digestOf(path) };
}
