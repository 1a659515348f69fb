import { hostname } from "node:os";
import { TOOL } from "nspawn/build";

/** The server's name in URLs. */
export function hostName(): string {
  return (TOOL.config("hatch/image-server/host_name") || hostname()).toLowerCase();
}
