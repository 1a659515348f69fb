import type { DisposableHost } from "./host.ts";

/** One thing that is done at a terminal: wait for a text, type, or give the terminal another size. */
export type Act = { readonly expect: string } | { readonly type: string } | { readonly size: readonly [rows: number, columns: number] };

/** What was seen, and the exit code; 128 and its number for a signal. */
export type Seen = { readonly screen: string; readonly code: number };

/** Runs a command in a host on a pseudo terminal of 33 lines and 99 columns, as a user at a keyboard would. Fails after ten seconds. */
export async function atTerminal(host: DisposableHost, argv: readonly string[], acts: readonly Act[]): Promise<Seen> {
  const output = await host.must(["python3", "-c", driver, JSON.stringify(acts), ...argv]);
  return JSON.parse(output) as Seen;
}

/** After a text is found, only what comes later is looked at; the echo of what is typed counts. */
const driver = `
import fcntl, json, os, pty, select, struct, sys, termios, time
acts, argv = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(argv[0], argv)
def size(rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
size(33, 99)
screen, seen, end = "", 0, time.time() + 10
def read():
    global screen
    if time.time() > end:
        os.kill(child, 9)
        sys.exit("no end at %r, with %r" % (acts, screen))
    if not select.select([terminal], [], [], 0.1)[0]:
        return True
    try:
        data = os.read(terminal, 65536)
    except OSError:
        return False
    screen += data.decode("utf8", "replace")
    return data != b""
open_ = True
while acts:
    act = acts[0]
    if "expect" in act:
        while open_ and act["expect"] not in screen[seen:]:
            open_ = read()
        if act["expect"] not in screen[seen:]:
            break
        seen = screen.index(act["expect"], seen) + len(act["expect"])
    elif "type" in act:
        os.write(terminal, act["type"].encode())
    else:
        size(*act["size"])
    acts.pop(0)
while open_:
    open_ = read()
_, status = os.waitpid(child, 0)
code = os.waitstatus_to_exitcode(status)
print(json.dumps({"screen": screen, "code": 128 - code if code < 0 else code}))
`;
