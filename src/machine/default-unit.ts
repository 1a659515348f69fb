// Made by scripts/generate from templates/machine-default.service.
import { isTrue } from "../template/truth.js";
import type { UnitVariables } from "./unit-variables.js";

/** Of the source that this was made from, in hex. */
export const defaultTemplateDigest = "5b8ca8139df9e1679e5736a0383604f34f28f4cb036cb1094722af0743d6fd85";

/** What that template becomes: the same text as from minijinja, which takes some 80 ms to get ready. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: as complex as the template.
export function defaultUnit(v: UnitVariables): string {
  let text = "";
  text += `# nspawn machine ${v.name}\n`;
  text += "#\n";
  text += `# Written by nspawn-setup from ${v.script}\n`;
  text += "# Change the script, not this file: the next setup writes it anew.\n";
  text += "\n";
  text += "[Unit]\n";
  text += `Description=Machine ${v.name}\n`;
  text += "Documentation=man:systemd-nspawn(1)\n";
  text += "PartOf=machines.target\n";
  text += "Before=machines.target\n";
  text += "Wants=modprobe@tun.service\n";
  text += "After=network.target modprobe@tun.service\n";
  text += `RequiresMountsFor=${v.mounts}\n`;
  text += "\n";
  text += "# Layers of the root, the top one first:\n";
  for (const layer of v.layers) {
    text += `# ${layer.id} = ${layer.url} ${layer.digest}\n`;
    text += `AssertPathIsDirectory=${layer.path}\n`;
  }
  if (isTrue(v.unit_conf)) {
    text += "\n";
    text += "# From the script:\n";
    for (const line of v.unit_conf) {
      text += `${line}\n`;
    }
  }
  text += "\n";
  text += "[Service]\n";
  text += "Type=notify\n";
  text += "Slice=machine.slice\n";
  text += "Delegate=yes\n";
  if (v.systemd >= 254) {
    text += "DelegateSubgroup=supervisor\n";
  }
  if (v.systemd >= 255) {
    text += "CoredumpReceive=yes\n";
  }
  text += "KillMode=mixed\n";
  text += "TasksMax=16384\n";
  text += `SyslogIdentifier=${v.name}\n`;
  text += "# Longer than what systemd in the machine gives its own services, so that it ends them itself:\n";
  text += "TimeoutSec=2min\n";
  text += "# For systemd-nspawn itself, not for what runs in the machine:\n";
  text += "WatchdogSec=3min\n";
  text += "\n";
  text += "# A reboot from inside ends with this status:\n";
  text += "RestartForceExitStatus=133\n";
  text += "SuccessExitStatus=133\n";
  text += "\n";
  text += "# Devices of every machine; no disks of the host, which systemd-nspawn needs for images of disks alone:\n";
  text += "DevicePolicy=closed\n";
  text += "DeviceAllow=/dev/net/tun rwm\n";
  text += "DeviceAllow=char-pts rw\n";
  text += "DeviceAllow=/dev/fuse rwm\n";
  text += "\n";
  if (isTrue(v.directives)) {
    text += "# Settings that are directives of the service:\n";
    for (const line of v.directives) {
      text += `${line}\n`;
    }
    text += "\n";
  }
  text += "# Layers are named relative to this folder: mount(2) takes one page of options, and full paths are long.\n";
  text += `WorkingDirectory=${v.layers_folder}\n`;
  text += "# One page in one piece, for newer mount programs too; and no lock on the root, which is unmounted in the end.\n";
  text += "Environment=LIBMOUNT_FORCE_MOUNT2=always SYSTEMD_NSPAWN_LOCK=0\n";
  text += "\n";
  if (isTrue(v.prepare)) {
    text += "# Sources on the host of Bind and Overlay, made if missing:\n";
    for (const command of v.prepare) {
      text += `ExecStartPre=${command}\n`;
    }
    text += "\n";
  }
  text += "# The root: ";
  if (v.state === "keep") {
    text += "what the machine writes stays until the next update.";
  } else {
    text += "what the machine writes is gone when it stops.";
  }
  text += "\n";
  for (const command of v.mount) {
    text += `ExecStartPre=${command}\n`;
  }
  text += "\n";
  for (const command of v.release) {
    text += `ExecStopPost=-${command}\n`;
  }
  text += "\n";
  text += "# What systemd-nspawn cannot take away if it is killed, and what it would refuse to start over:\n";
  for (const command of v.clean) {
    text += `ExecStopPost=-${command}\n`;
  }
  text += "\n";
  text += "# Settings and where they come from:\n";
  for (const setting of v.settings) {
    text += `#   ${setting.name}=${setting.value}  # ${setting.origin}\n`;
  }
  if (isTrue(v.command_origin)) {
    text += `#   the command  # ${v.command_origin}\n`;
  }
  text += "ExecStart=";
  for (const [argumentIndex, argument] of v.nspawn.entries()) {
    text += `${argument}`;
    if (!(argumentIndex === v.nspawn.length - 1)) {
      text += " \\\n";
      text += "  ";
    }
  }
  text += "\n";
  if (isTrue(v.service_conf)) {
    text += "\n";
    text += "# From the script:\n";
    for (const line of v.service_conf) {
      text += `${line}\n`;
    }
  }
  text += "\n";
  text += "[Install]\n";
  text += "WantedBy=machines.target\n";
  for (const line of v.install_conf) {
    text += `${line}\n`;
  }
  return text;
}
