import { NspawnError, UsageError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { runningMachines } from "../../machine/leader.js";
import { findUnits, type UnitFile } from "../../machine/unit-files.js";
import { checkMachineName } from "../../plan/machine-name.js";

/**
 * Finds the units of machines by their names, in the order given, each once.
 * @throws UsageError for what is no name of a machine; NspawnError that names all that are not there
 */
export function selectMachines(names: readonly string[]): readonly UnitFile[] {
  const wrong = names.map(checkMachineName).find((trouble) => trouble !== undefined);
  if (wrong !== undefined) throw new UsageError(wrong);
  const units = findUnits();
  const missing = names.filter((name) => !units.some((unit) => unit.name === name));
  if (missing.length > 0) throw missingError(missing, units);
  return [...new Set(names)].flatMap((name) => units.find((unit) => unit.name === name) ?? []);
}

function missingError(missing: readonly string[], units: readonly UnitFile[]): NspawnError {
  const running = new Set(runningMachines().map(({ name }) => name));
  const words = missing.map((name) => (running.has(name) ? `${name} is no machine of nspawn` : `there is no machine ${name} on this host`));
  const [first = ""] = missing;
  const near = didYouMean(
    first,
    units.map(({ name }) => name),
  );
  const hint = running.has(first) ? `machinectl status ${first}` : (near ?? "nspawn machine list shows which there are");
  return new NspawnError(words.join("; "), { hint });
}
