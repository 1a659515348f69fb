/**
 * The command that runs a script of SH.
 * @param invoke the list of `build/shell_invoke`: `{script}` in it stands for the script, which comes last otherwise
 */
export function shellCommand(invoke: readonly string[], script: string): readonly string[] {
  const command = invoke.map((item) => item.replaceAll("{script}", () => script));
  return invoke.some((item) => item.includes("{script}")) ? command : [...command, script];
}
