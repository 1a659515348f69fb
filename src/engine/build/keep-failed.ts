import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { hintOf, InterruptedError, messageOf, NspawnError } from "../../base/errors.js";
import { shellQuote } from "../../base/shell-quote.js";
import { prepareOverlay, whileMounted } from "../../layer/overlay.js";
import type { Build } from "./build.js";
import type { RunEnvironment } from "./run-step.js";

/**
 * Copies the root that a failed step has left to a folder of its own, to look at: it depends on no layer, which could go. `nspawn prune`
 * removes it after a week.
 * @param layers what the step has written, then what it saw, from the top down
 * @throws what the step has failed with, and how to look at its root
 */
export async function keepFailedRoot(
  { host, store, report, scratch }: Build,
  layers: readonly string[],
  environment: RunEnvironment,
  error: unknown,
): Promise<void> {
  if (error instanceof InterruptedError) return;
  const kept = await store
    .whileKept(async (folder) => {
      const root = join(folder, "root");
      await mkdir(root);
      const overlay = prepareOverlay(join(scratch, "failed"), { lowers: layers });
      await whileMounted(host, overlay, (merged) => host.run({ argv: ["cp", "--archive", "--no-target-directory", "--", merged, root] }));
      return root;
    })
    .catch((reason: unknown) => {
      report({ kind: "warning", text: `the root of the failed step cannot be kept: ${messageOf(reason)}` });
    });
  if (kept === undefined) return;
  const hint = `look at the root of the failed step: ${shellQuote(inspectArgv(kept, environment))}`;
  const before = hintOf(error);
  throw new NspawnError(messageOf(error), { cause: error, hint: before === undefined ? hint : `${before}; ${hint}` });
}

/** A shell in a kept root, with the environment that the step had. Proxies are left out, which may hold a login. */
function inspectArgv(root: string, { settings }: RunEnvironment): readonly string[] {
  const options = settings.flatMap(({ name, value }) =>
    name === "Environment" ? [`--setenv=${value}`] : name === "WorkingDirectory" ? [`--chdir=${value}`] : [],
  );
  return ["systemd-nspawn", "--as-pid2", "--register=no", "--keep-unit", "--settings=no", `--directory=${root}`, ...options];
}
