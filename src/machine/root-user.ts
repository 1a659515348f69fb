/** The root user of a machine, as its own /etc/passwd has it. */
export type RootUser = { readonly name: string; readonly home: string; readonly shell: string | undefined };

/**
 * The root user in the text of a passwd(5) that anyone may have written: the first user with the number 0. What is not an absolute path of
 * plain characters counts as not said.
 */
export function rootUserIn(text: string): RootUser {
  for (const line of text.split("\n")) {
    const [name = "", , uid, , , home = "", shell = ""] = line.split(":");
    if (uid !== "0" || !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(name)) continue;
    return { name, home: isPlainPath(home) ? home : "/root", shell: isPlainPath(shell) && !refusing.test(shell) ? shell : undefined };
  }
  return { name: "root", home: "/root", shell: undefined };
}

/** What to run for somebody who works at a terminal: shells that know it read their profile, as at a login. */
export function loginShell(shell: string): readonly string[] {
  return knowsLogin.test(shell) ? [shell, "-l"] : [shell];
}

function isPlainPath(path: string): boolean {
  return /^\/[A-Za-z0-9_./+-]{1,255}$/.test(path) || path === "/";
}

/** Programs that stand for "no login". */
const refusing = /\/(?:nologin|false|true|sync|halt|shutdown)$/;
const knowsLogin = /\/(?:sh|ash|bash|dash|fish|ksh|mksh|zsh)$/;
