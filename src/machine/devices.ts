import { splitColons } from "../settings/colons.js";
import type { Setting } from "../settings/merge.js";

/** Folders of devices that come and go, by the group of systemd.resource-control(5) that all of them belong to. */
const groups: Readonly<Record<string, string>> = {
  "/dev/bus/usb": "char-usb_device",
  "/dev/dri": "char-drm",
  "/dev/input": "char-input",
  "/dev/snd": "char-alsa",
};

/** A device, or a folder of them, that Bind or BindReadOnly names, with what the machine may do with it: read and write. */
type BoundDevice = { readonly path: string; readonly isFolder: boolean; readonly access: "rw" | "r" };

/** A value of `DeviceAllow=`: a device's path, or the name of a group of them. */
export type DeviceAllowance = { readonly target: string; readonly access: "rw" | "r" };

/**
 * What the unit has to allow, so that a machine can use the devices that Bind and BindReadOnly name: its device policy refuses all others.
 * systemd-nspawn does the same itself, but only for a scope that it makes (append_machine_properties in its nspawn-register.c), and our
 * machines are services.
 */
export function deviceAllowances(settings: readonly Setting[]): readonly DeviceAllowance[] {
  const allowances = boundDevices(settings).flatMap(({ path, isFolder, access }): readonly DeviceAllowance[] => {
    const group = groups[path];
    return group === undefined && isFolder ? [] : [{ target: group ?? path, access }];
  });
  return allowances.filter(
    (one, index) => allowances.findIndex(({ target, access }) => target === one.target && access === one.access) === index,
  );
}

/** The folders of devices of which nobody knows what they hold: the machine sees the devices in them, and may use none. */
export function unknownDeviceFolders(settings: readonly Setting[]): readonly string[] {
  const unknown = boundDevices(settings).filter(({ path, isFolder }) => isFolder && groups[path] === undefined);
  return [...new Set(unknown.map(({ path }) => path))];
}

/** Whether a path of the host is below /dev, where nothing is a device but what the kernel puts there. `/dev/shm` holds plain files. */
export function isDevicePath(path: string): boolean {
  return (path === "/dev" || path.startsWith("/dev/")) && path !== "/dev/shm" && !path.startsWith("/dev/shm/");
}

function boundDevices(settings: readonly Setting[]): readonly BoundDevice[] {
  return settings.flatMap(({ name, value }): readonly BoundDevice[] => {
    if (name !== "Bind" && name !== "BindReadOnly") return [];
    // A source that need not be there starts with a "-".
    const source = (splitColons(value)[0] ?? "").replace(/^-/, "");
    const path = source.replace(/(?<=.)\/+$/, "");
    if (!isDevicePath(path)) return [];
    return [{ path, isFolder: source !== path || path === "/dev", access: name === "Bind" ? "rw" : "r" }];
  });
}
