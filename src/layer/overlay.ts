import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtin } from "../base/builtin.js";
import { NspawnError } from "../base/errors.js";
import type { Argv, Host } from "../host/host.js";
import { inMountNamespace } from "../host/namespace.js";
import { clearAttributes, copyLook } from "./attributes.js";

/** Layers from the top down, all but the upper one never written to. `upper` and `work` are empty folders on one file system. */
export type OverlayLayers = { readonly lowers: readonly string[]; readonly upper?: { readonly folder: string; readonly work: string } };

/**
 * An overlay that is ready to be mounted: `folder` holds short links to the layers, the mount point, and a table of what is to be mounted. `marker`:
 * name of a file in the mount point, which is not seen any more when the overlay is mounted.
 */
export type Overlay = { readonly folder: string; readonly options: string; readonly mountPoint: string; readonly marker: string };

/** Modes that would store positions of lower layers in the upper one, which then could not travel. See facts in docs/architecture.md. */
export const travelOptions = "index=off,metacopy=off,redirect_dir=off";

/** Linux stacks at most 500 layers (OVL_MAX_STACK in fs/overlayfs/params.h). */
export const maxLayers = 500;

/**
 * Names the layers by short links, since the option string of mount(2) ends at one page: 27 layers with paths of 140
 * characters would be too many. No character in a path has to be escaped either.
 * @param folder a new folder, made here
 */
export function prepareOverlay(folder: string, layers: OverlayLayers): Overlay {
  if (layers.lowers.length > maxLayers) {
    throw new NspawnError(`${layers.lowers.length} layers are more than the ${maxLayers} that Linux can stack`);
  }
  const mountPoint = join(folder, "root");
  mkdirSync(mountPoint, { recursive: true });
  const lowers = [...layers.lowers];
  // An overlay has one lower layer at least, and two if there is no upper one; empty ones at the bottom change nothing.
  while (lowers.length < (layers.upper ? 1 : 2)) {
    const empty = join(folder, `empty-${lowers.length}`);
    mkdirSync(empty);
    lowers.push(empty);
  }
  const names = lowers.map((_, index) => String(index + 1));
  for (const [index, lower] of lowers.entries()) symlinkSync(lower, join(folder, String(index + 1)));
  const options = [`lowerdir=${names.join(":")}`];
  if (layers.upper) {
    symlinkSync(layers.upper.folder, join(folder, "u"));
    symlinkSync(layers.upper.work, join(folder, "w"));
    options.push("upperdir=u,workdir=w");
  }
  const overlay = { folder, options: `${options.join(",")},${travelOptions}`, mountPoint, marker: builtin("node:crypto").randomUUID() };
  writeFileSync(join(folder, mountTable), tableOf(overlay));
  writeFileSync(join(mountPoint, overlay.marker), "");
  return overlay;
}

/** What mount(8) takes all at once, since it takes longer to start than to mount; see fstab(5). `/run/systemd/nspawn` is hidden. */
function tableOf({ options, mountPoint }: Pick<Overlay, "options" | "mountPoint">): string {
  const field = (text: string): string =>
    text.replace(/[ \t\n\v\f\r\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
  const lines = [
    ["tmpfs", "/run/systemd/nspawn", "tmpfs", "mode=755"],
    ["overlay", mountPoint, "overlay", `nodev,${options}`],
  ];
  return lines.map((fields) => `${fields.map(field).join(" ")} 0 0\n`).join("");
}

const mountTable = "fstab";

/**
 * Makes an empty upper layer whose root looks like the root below, with mode, owner, ACL and attributes: in an overlay those of
 * the topmost root folder count.
 * @param below the layer below, or undefined for the usual 0755, root
 */
export function makeUpper(folder: string, below: string | undefined): { readonly folder: string; readonly work: string } {
  const upper = { folder: join(folder, "upper"), work: join(folder, "work") };
  for (const path of [upper.folder, upper.work]) mkdirSync(path, { recursive: true });
  if (below === undefined) {
    clearAttributes(Buffer.from(upper.folder));
    chmodSync(upper.folder, 0o755);
  } else copyLook(Buffer.from(below), Buffer.from(upper.folder));
  return upper;
}

/**
 * A command that mounts the overlay and then becomes the given program; to be run in a mount namespace of its own.
 * `/run/systemd/nspawn` is hidden, so that systemd-nspawn leaves nothing there.
 */
export function mountThen(overlay: Overlay, argv: readonly string[]): Argv {
  const script = [
    // util-linux ≥ 2.39 passes options through fsconfig(2), which takes 256 bytes for each.
    "export LIBMOUNT_FORCE_MOUNT2=always",
    "[ -d /run/systemd/nspawn ] || mkdir -p /run/systemd/nspawn",
    'cd "$1"',
    `mount --all --fstab ${mountTable}`,
    // It may leave out what it takes for mounted, or for nothing that can be.
    '! [ -e "root/$2" ] || { echo "mount: $1/root: not mounted" >&2; exit 32; }',
    "shift 2",
    'exec "$@"',
  ].join("\n");
  return ["sh", "-ec", script, "sh", overlay.folder, overlay.marker, ...argv];
}

/** Mounts the overlay as long as `use` runs. `root` is the mounted tree, reached through /proc from outside the namespace. */
export async function whileMounted<T>(host: Host, overlay: Overlay, use: (root: string) => Promise<T>): Promise<T> {
  const holder = await host.runBeside({ argv: inMountNamespace(mountThen(overlay, ["sh", "-c", "echo mounted; exec cat"])) });
  try {
    return await use(`/proc/${holder.pid}/root${overlay.mountPoint}`);
  } finally {
    await holder.close();
  }
}
