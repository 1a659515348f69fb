import type { Problem } from "../base/errors.js";
import { Statements } from "./statement.js";
import type { StepOf } from "./step.js";

/** Lines of [Service] that would break the unit of a machine: which of them, why, and what is right. */
type Reserved = { readonly lines: RegExp; readonly why: string; readonly hint: string };

const ownTemplate = "or write the unit yourself: MACHINE({ template })";
const reserved: readonly Reserved[] = [
  {
    lines: /^ExecStart=/,
    why: "the unit has the ExecStart= that starts the machine, and a service of this kind takes one",
    hint: `EXEC says what runs in the machine, ExecStartPre= and ExecStartPost= what runs on the host before and after; ${ownTemplate}`,
  },
  {
    lines: /^Type=(?!notify$)/,
    why: "the unit has Type=notify: systemd-nspawn tells systemd when the machine is ready",
    hint: `delete it, ${ownTemplate}`,
  },
  {
    lines: /^WorkingDirectory=/,
    why: "the unit has one that its layers are named relative to",
    hint: `WorkingDirectory of WITH is that of the machine's command; ${ownTemplate}`,
  },
  {
    lines: /^(ExecStartPre|ExecStopPost)=$/,
    why: "an empty value takes away the lines that mount and unmount the machine's root",
    hint: `delete it, ${ownTemplate}`,
  },
  {
    lines: /^Environment=$/,
    why: "an empty value takes away the variables that mounting the machine's root needs",
    hint: "UnsetEnvironment= takes away one variable",
  },
];

/** What of MACHINE's `serviceConf` the unit cannot have besides its own lines (systemd.service(5)); a template of the script's own has none. */
export function serviceConfProblems({ at, machine }: StepOf<"machine">): readonly Problem[] {
  if (machine.template !== undefined) return [];
  const statements = new Statements();
  return machine.serviceConf.flatMap((line, index) => {
    const found = reserved.find(({ lines }) => lines.test(line));
    if (!found) return [];
    const spot = statements.spot(at, "MACHINE", { fields: ["serviceConf"], near: line });
    return [{ ...spot, message: `MACHINE: serviceConf[${index}]: ${line}: ${found.why}`, hint: found.hint }];
  });
}
