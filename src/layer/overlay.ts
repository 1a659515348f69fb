import { chmod, chown, lstat, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NspawnError } from "../base/errors.js";
import { readIfThere } from "../host/files.js";
import type { Argv, Host } from "../host/host.js";
import { inMountNamespace } from "../host/namespace.js";
import { pipeTar } from "../packer/tar.js";

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
export async function prepareOverlay(folder: string, layers: OverlayLayers): Promise<Overlay> {
  if (layers.lowers.length > maxLayers) {
    throw new NspawnError(`${layers.lowers.length} layers are more than the ${maxLayers} that Linux can stack`);
  }
  const mountPoint = join(folder, "root");
  await mkdir(mountPoint, { recursive: true });
  const lowers = [...layers.lowers];
  // An overlay has one lower layer at least, and two if there is no upper one; empty ones at the bottom change nothing.
  while (lowers.length < (layers.upper ? 1 : 2)) {
    const empty = join(folder, `empty-${lowers.length}`);
    await mkdir(empty);
    lowers.push(empty);
  }
  const names = lowers.map((_, index) => String(index + 1));
  await Promise.all(lowers.map((lower, index) => symlink(lower, join(folder, String(index + 1)))));
  const options = [`lowerdir=${names.join(":")}`];
  if (layers.upper) {
    await symlink(layers.upper.folder, join(folder, "u"));
    await symlink(layers.upper.work, join(folder, "w"));
    options.push("upperdir=u,workdir=w");
  }
  const overlay = { folder, options: `${options.join(",")},${travelOptions}`, mountPoint, marker: crypto.randomUUID() };
  await writeFile(join(folder, mountTable), tableOf(overlay));
  await writeFile(join(mountPoint, overlay.marker), "");
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
export async function makeUpper(
  host: Host,
  folder: string,
  below: string | undefined,
): Promise<{ readonly folder: string; readonly work: string }> {
  const upper = { folder: join(folder, "upper"), work: join(folder, "work") };
  await mkdir(upper.folder, { recursive: true });
  await mkdir(upper.work);
  if (below === undefined) {
    await chmod(upper.folder, 0o755);
    return upper;
  }
  const [{ mode, uid, gid }, special] = await Promise.all([lstat(below), layerHasAttributes(host, below)]);
  await chown(upper.folder, uid, gid);
  await chmod(upper.folder, mode & 0o7777);
  if (special) await pipeTar(host, [{ folder: Buffer.from(below), names: [""] }], upper.folder, { owner: "same", folders: "overwrite" });
  return upper;
}

/** Whether a folder has an ACL or extended attributes besides the overlay's own. */
export async function hasAttributes(host: Host, folder: string): Promise<boolean> {
  const { stdout } = await host.run({ argv: ["getfattr", "--match=-", "--no-dereference", "."], cwd: folder, mayOutlive: true });
  return areSpecial(stdout);
}

/** Whether names of attributes, one a line, are of some that travel. */
function areSpecial(names: string): boolean {
  return names.split("\n").some((line) => /^(user\.|system\.posix_acl|security\.capability)/.test(line));
}

/** The same of the root folder of a layer, which never changes: it is looked at once. */
export function layerHasAttributes(host: Host, layer: string): Promise<boolean> {
  const found = knownLayers(host).get(layer) ?? hasAttributes(host, layer);
  knownLayers(host).set(layer, found);
  return found;
}

/** What is known already need not be looked at. */
export function noteAttributes(host: Host, layer: string, has: boolean): void {
  knownLayers(host).set(layer, Promise.resolve(has));
}

function knownLayers(host: Host): Map<string, Promise<boolean>> {
  const known = layersOfHosts.get(host) ?? new Map<string, Promise<boolean>>();
  layersOfHosts.set(host, known);
  return known;
}

const layersOfHosts = new WeakMap<Host, Map<string, Promise<boolean>>>();

/**
 * A command that mounts the overlay and then becomes the given program; to be run in a mount namespace of its own.
 * `/run/systemd/nspawn` is hidden, so that systemd-nspawn leaves nothing there.
 */
export function mountThen(overlay: Overlay, argv: readonly string[]): Argv {
  return mountAnd(overlay, ['exec "$@"'], argv);
}

/**
 * The same; the program is started in between, and what attributes its upper layer's root folder has then is noted for
 * {@link attributesNoted}: that takes less time here than to start another program for it.
 */
export function mountAndNote(overlay: Overlay, argv: readonly string[]): Argv {
  const note = `getfattr --match=- --no-dereference u/. > ${attributesFile} || rm -f ${attributesFile}`;
  return mountAnd(overlay, ['"$@" && code=0 || code=$?', note, 'exit "$code"'], argv);
}

/** Whether the upper layer's root folder has an ACL or extended attributes, if that was noted. */
export async function attributesNoted(overlay: Overlay): Promise<boolean | undefined> {
  const names = await readIfThere(join(overlay.folder, attributesFile));
  return names === undefined ? undefined : areSpecial(names);
}

const attributesFile = "attributes";

function mountAnd(overlay: Overlay, lines: readonly string[], argv: readonly string[]): Argv {
  const script = [
    // util-linux ≥ 2.39 passes options through fsconfig(2), which takes 256 bytes for each.
    "export LIBMOUNT_FORCE_MOUNT2=always",
    "[ -d /run/systemd/nspawn ] || mkdir -p /run/systemd/nspawn",
    'cd "$1"',
    `mount --all --fstab ${mountTable}`,
    // It may leave out what it takes for mounted, or for nothing that can be.
    '! [ -e "root/$2" ] || { echo "mount: $1/root: not mounted" >&2; exit 32; }',
    "shift 2",
    ...lines,
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
