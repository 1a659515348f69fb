import { hostFolders } from "../../machine/paths.js";
import { unitMark } from "../../machine/unit-mark.js";

/**
 * A line of sh that prints the names of machines, one a line: those of ours by their units, and those that run by the files that
 * systemd-machined keeps. It takes a few milliseconds, needs no rights, and prints nothing that could mean something to a shell.
 */
export const machineNames = [
  `grep -shnm1 -d skip -D skip -x "${unitMark} [A-Za-z0-9.-]*" ${hostFolders.units}/*.service | sed -n "s/^1:${unitMark} //p"`,
  'ls /run/systemd/machines 2>/dev/null | grep -x "[A-Za-z0-9.-]*"',
].join("; ");
