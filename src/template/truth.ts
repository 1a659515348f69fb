/** Whether a value counts as true in Jinja: a text, list or number that is not empty or 0. */
export function isTrue(value: string | number | readonly unknown[]): boolean {
  return typeof value === "number" ? value !== 0 : value.length > 0;
}
