/** What a unit of ours says of itself in its comments, and of its root in its commands. */
export type UnitNotes = {
  /** The setup script that it was made from; undefined if a template of one's own does not tell. */
  readonly script: string | undefined;
  /** The top layer first; none if a template of one's own does not tell. */
  readonly layers: readonly { readonly id: string; readonly url: string; readonly digest: string }[];
  /** `value`: as it is, or its start, if it is long. `origin`: `file:line` of the script, or the URL of an image. */
  readonly settings: readonly { readonly name: string; readonly value: string; readonly origin: string }[];
  /** Whether what the machine writes stays when it stops. */
  readonly state: "keep" | "volatile";
};

/**
 * Reads the comments of a unit as `templates/machine-default.service` writes them; what is not so is not there.
 * ```
 * # Written by nspawn-setup from /srv/web/setup.ts
 * # 9a43ae093bee0123 = https://images.example.org/web.tar.zst sha256:9a43ae093bee0123…
 * #   Hostname="web"  # /srv/web/setup.ts:5
 * ```
 */
export function readNotes(text: string): UnitNotes {
  return {
    script: /^# Written by nspawn-setup from (.+)$/m.exec(text)?.[1],
    layers: [...text.matchAll(/^# ([0-9a-f]{16}) = (\S.*) (sha256:[0-9a-f]{64})$/gm)].map(([, id = "", url = "", digest = ""]) => ({
      id,
      url,
      digest,
    })),
    settings: [...text.matchAll(/^# {3}([A-Za-z0-9]+)=(".*) {2}# (.+)$/gm)].map(([, name = "", value = "", origin = ""]) => ({
      name,
      value: unquoted(value),
      origin,
    })),
    state: /^ExecStopPost=-?\S*\brm\s/m.test(text) ? "volatile" : "keep",
  };
}

/** A long value is cut, and then no JSON any more. */
function unquoted(value: string): string {
  try {
    return String(JSON.parse(value));
  } catch {
    return value.slice(1);
  }
}
