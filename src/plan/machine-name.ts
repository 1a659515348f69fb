/**
 * Checks a machine name as systemd does (hostname_is_valid in its hostname-util.c): letters, digits, `-` and `.`, at most 64 characters, no
 * empty part, no part that starts or ends with `-`.
 * @returns what is wrong, or undefined
 */
export function checkMachineName(name: string): string | undefined {
  if (name.length > 64) return `the machine name ${JSON.stringify(name)} is longer than 64 characters`;
  const part = /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/;
  if (name.split(".").every((label) => part.test(label))) return undefined;
  return `${JSON.stringify(name)} is no machine name: letters, digits, "-" and "." (no part empty or with a "-" at its ends)`;
}
