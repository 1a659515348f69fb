/** A script may import its own modules. */
export const packages = ["nginx-light", "curl"];
