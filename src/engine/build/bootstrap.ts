import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { CommandError, NspawnError } from "../../base/errors.js";
import type { Bootstrap } from "../../dsl/arguments.js";
import { clearFolder } from "../../host/clear-folder.js";
import { readIfThere } from "../../host/files.js";
import type { Argv, Host } from "../../host/host.js";
import { baseEnvironment } from "../../host/local.js";
import { inOwnNamespaces } from "../../host/namespace.js";
import type { ImageStore, StoredLayer } from "../../image/store.js";
import { unpack } from "../../image/unpack.js";
import type { ArchiveLimits } from "../../packer/member-rules.js";

/** How BOOTSTRAP works besides its arguments; a change of it makes the cached layers stale. */
const recipe = 2;

export type BootstrapOptions = {
  readonly cache: boolean;
  readonly limits: ArchiveLimits;
  /** More environment of mmdebstrap: the proxies that its downloads go through. */
  readonly variables: () => Promise<Readonly<Record<string, string>>>;
  /** Gets mmdebstrap's progress. */
  readonly onLine: (line: string) => void;
};

/**
 * Makes a layer from a distribution's packages by mmdebstrap(1), or finds the one that was made by the same arguments.
 */
export async function bootstrapLayer(
  host: Host,
  store: ImageStore,
  spec: Bootstrap,
  options: BootstrapOptions,
): Promise<{ readonly layer: StoredLayer; readonly cached: boolean }> {
  const key = bootstrapKey(spec);
  const lock = await store.lock(key, (other) => options.onLine(`waiting: ${other} makes the same layer`));
  try {
    const present = options.cache ? await store.derived(key) : undefined;
    if (present) return { layer: present, cached: true };
    const layer = await make(host, store, spec, options);
    await store.setDerived(key, layer.digest);
    return { layer, cached: false };
  } finally {
    lock.release();
  }
}

/** What the cached layer of a BOOTSTRAP is found by. */
export function bootstrapKey(spec: Bootstrap): string {
  return JSON.stringify(["bootstrap", recipe, spec.distribution, mmdebstrapArgv(spec)]);
}

async function make(host: Host, store: ImageStore, spec: Bootstrap, { limits, variables, onLine }: BootstrapOptions): Promise<StoredLayer> {
  return store.whileTemporary(async (scratch) => {
    const archive = new PassThrough({ highWaterMark: 1 << 20 });
    const environment = { ...baseEnvironment(), ...(await variables()), TMPDIR: scratch };
    const made = host.run({ argv: inOwnNamespaces(mmdebstrapArgv(spec)), env: environment, output: archive, onLine });
    made.catch((error: unknown) => archive.destroy(error instanceof Error ? error : undefined));
    const unpacked = unpack(host, archive, `BOOTSTRAP ${spec.distribution} ${spec.release}`, scratch, { devices: "all", limits });
    // mmdebstrap's own words come first: the archive is broken because it failed.
    await Promise.allSettled([made, unpacked]);
    await made.catch(async (error: unknown) => {
      // Nobody read on: what was wrong with the archive says why.
      if (!(error instanceof NspawnError)) await unpacked;
      throw withKeyring(error, spec);
    });
    const { folder, digest, bytes } = await unpacked;
    await checkDistribution(folder, spec);
    await emptyDevices(host, join(folder, "dev"));
    return store.addLayer({ folder, digest, bytes });
  });
}

/**
 * The call of mmdebstrap; the archive comes out of its standard output. What it takes from this host into the root
 * (resolv.conf, hostname) does not belong into an image.
 */
export function mmdebstrapArgv(spec: Bootstrap): Argv {
  const components = spec.components ?? (spec.distribution === "ubuntu" ? ["main", "universe"] : ["main"]);
  return [
    "mmdebstrap",
    "--mode=root",
    "--format=tar",
    `--variant=${spec.variant ?? "minbase"}`,
    `--components=${components.join(",")}`,
    ...(spec.packages?.length ? [`--include=${spec.packages.join(",")}`] : []),
    '--customize-hook=rm -rf "$1/etc/resolv.conf" "$1/etc/hostname"; : > "$1/etc/machine-id"',
    spec.release,
    "-",
    ...(spec.mirror === undefined ? [] : [spec.mirror]),
  ];
}

/** Without the distribution's public keys apt trusts nothing: the commonest reason to fail, and one that its message hides. */
function withKeyring(error: unknown, { distribution }: Bootstrap): unknown {
  if (!(error instanceof CommandError) || !error.output.includes("NO_PUBKEY")) return error;
  return new NspawnError(`the public keys of ${distribution} are not on this host`, {
    cause: error,
    hint: `apt-get install ${distribution}-archive-keyring`,
  });
}

/** mmdebstrap puts device nodes into every archive; a machine gets its own from systemd-nspawn. */
async function emptyDevices(host: Host, folder: string): Promise<void> {
  await clearFolder(host, folder);
  await mkdir(folder, { mode: 0o755 });
}

/** mmdebstrap chooses the distribution by the release's name alone, so a wrong pair would go unnoticed. */
async function checkDistribution(root: string, { distribution, release }: Bootstrap): Promise<void> {
  const osRelease = (await readIfThere(join(root, "usr/lib/os-release"))) ?? "";
  const id = /^ID="?([a-z]+)"?$/m.exec(osRelease)?.[1];
  if (id === undefined || id === distribution) return;
  throw new NspawnError(`${release} is a release of ${id}, not of ${distribution}`, {
    hint: `BOOTSTRAP({ distribution: ${JSON.stringify(id)}, … })`,
  });
}
