import { type Kind, pattern, splitWords } from "./kind.js";

const startsAtRoot = (text: string): boolean => text.startsWith("/");
const writeSlash = (text: string): string | undefined => (/^[\w.-]/.test(text) ? `write ${JSON.stringify(`/${text}`)}` : undefined);

export const imagePath: Kind = pattern({
  expected: "an absolute path in the image",
  example: "/srv",
  test: startsAtRoot,
  hint: writeSlash,
});

export const hostPath: Kind = pattern({
  expected: "an absolute path on the host",
  example: "/run/netns/web",
  test: startsAtRoot,
  hint: writeSlash,
});

/** As systemd takes it (hostname_is_valid in its basic/hostname-util.c). An empty one stands for the machine's name. */
export const hostname: Kind = pattern({
  expected: "a host name: labels of letters, digits and hyphens between dots, 64 characters at most",
  example: "web.example.org",
  test: (text) =>
    text === "" || (text.length <= 64 && text.split(".").every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/.test(label))),
});

/** A user whom the image knows, or a number. */
export const imageUser: Kind = pattern({
  expected: "a user of the image, by name or number",
  type: "string | number",
  example: "root",
  // It is an argument of its own: one with a hyphen first would be another option.
  test: (text) => /^[^\s:/-][^\s:/]*$/.test(text) && !/^\d+\.\d+$/.test(text),
});

/** As systemd takes it from users of the host (valid_user_group_name in its basic/user-util.c), without its relaxed forms. */
export const hostUser: Kind = pattern({
  expected: "a name of letters, digits, _ and -, 31 characters at most",
  example: "www-data",
  test: (text) => /^[A-Za-z_][A-Za-z0-9_-]{0,30}$/.test(text),
  split: splitWords,
});

export const machineId: Kind = pattern({
  expected: "32 hexadecimal digits, or a UUID, that are not all zero",
  example: "b3f5f3a29d1d4a7a8e0c1f7a5f0d2c11",
  test: (text) => /^(?:[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/i.test(text) && /[1-9a-f]/i.test(text),
});

export const slice: Kind = pattern({
  expected: "the name of a slice, with .slice at its end",
  example: "web.slice",
  test: (text) => /^[A-Za-z0-9:_.\\-]{1,240}\.slice$/.test(text),
  hint: (text) => (/^[\w-]+$/.test(text) ? `write ${JSON.stringify(`${text}.slice`)}` : undefined),
});

export const label: Kind = pattern({
  expected: "an SELinux label",
  example: "system_u:object_r:container_file_t:s0",
  test: () => true,
});

export const journalTarget: Kind = pattern({
  expected: "an absolute path on the host, of a journal file or a folder",
  example: "/var/log/journal/web",
  test: startsAtRoot,
  hint: writeSlash,
});
