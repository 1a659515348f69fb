import { dirname } from "node:path";
import { splitColons } from "../settings/colons.js";
import type { Setting } from "../settings/merge.js";
import { isDevicePath } from "./devices.js";

/** What has to be there on the host before the machine starts; made empty where it is missing. */
export type Stub = { readonly kind: "folder" | "file"; readonly path: string };

/**
 * The sources on the host of Bind, BindReadOnly, Overlay and OverlayReadOnly: folders where the path ends in `/` (and for
 * overlays), empty files otherwise, with the folders above them.
 */
export function bindStubs(settings: readonly Setting[]): readonly Stub[] {
  const stubs = settings.flatMap(({ name, value }): readonly Stub[] => {
    if (name === "Bind" || name === "BindReadOnly") return bindStub(splitColons(value)[0] ?? "");
    if (name === "Overlay" || name === "OverlayReadOnly") return splitColons(value).slice(0, -1).flatMap(folderStub);
    return [];
  });
  return stubs.filter((stub, index) => stubs.findIndex(({ path }) => path === stub.path) === index);
}

function bindStub(source: string): readonly Stub[] {
  if (!isOnHost(source)) return [];
  if (source.endsWith("/")) return folderStub(source);
  return [...folderStub(dirname(source)), { kind: "file", path: source }];
}

function folderStub(path: string): readonly Stub[] {
  return isOnHost(path) && path !== "/" ? [{ kind: "folder", path }] : [];
}

/**
 * `+/path` lies in the image, and an empty source is a temporary folder of systemd-nspawn's own (systemd-nspawn(1)). What the kernel has
 * to bring is not made: a file in the place of a device would keep its driver from showing it.
 */
function isOnHost(path: string): boolean {
  return path.startsWith("/") && !isDevicePath(path) && !/^\/(proc|sys)(\/|$)/.test(path);
}
