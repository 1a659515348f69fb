import type { MachinePaths } from "../../machine/paths.js";
import type { Action } from "../setup/action.js";
import { hasEnded } from "../setup/installed.js";

/** What an action does with a machine besides its unit file, in the order in which it does it. */
export type Effect =
  | { readonly kind: "start" | "stop" | "enable" | "disable" }
  /** The writable layer is emptied: it ends with the run, or with the generation. */
  | { readonly kind: "clear-layer"; readonly path: string }
  /** What the machine has written stays with its generation, and is not seen by the next one. */
  | { readonly kind: "keep-layer"; readonly path: string }
  | { readonly kind: "begin-clean" }
  /** What it had written in a generation before is there again. */
  | { readonly kind: "restore-layer"; readonly path: string }
  | { readonly kind: "remove-layer" | "remove-root" | "remove-unit"; readonly path: string };

/** A machine as it is now, as far as that can be told. */
export type Present = {
  readonly exists: boolean;
  readonly active: string;
  readonly enabled: boolean;
  /** Whether its unit says how it starts with the host: that of the action, if that writes one. */
  readonly canEnable: boolean;
  /** Whether what it writes is gone when it stops, by its unit. */
  readonly isVolatile: boolean;
  /** Whether the generation of now stays, to be gone back to. */
  readonly isKept: boolean;
  /** Its paths, with the writable layer of now. */
  readonly paths: MachinePaths;
  /** Folder of the writable layer that a rollback brings back; undefined if that is no rollback, or begins with a clean one. */
  readonly restored: string | undefined;
};

/** The effects of an action. `changes`: whether the unit will be another one, comments aside; always so for a machine that is new. */
export function effectsOf(action: Action, present: Present, changes: boolean): readonly Effect[] {
  return effects[action](present, changes);
}

const effects: { readonly [A in Action]: (present: Present, changes: boolean) => readonly Effect[] } = {
  update: (present, changes) => {
    if (!changes || !present.exists) return [...starts(present), ...enables(present)];
    const left = leaves(present);
    const clean = left.kind === "keep-layer" ? [{ kind: "begin-clean" } as const] : [];
    return [...stops(present), left, ...clean, { kind: "start" }, ...enables(present)];
  },
  ensure: (present) => [...starts(present), ...enables(present)],
  desure: (present) => (present.exists ? [...stops(present), ...removal(present)] : []),
  create: () => [],
  delete: (present) => (present.exists ? removal(present) : []),
  enable: (present) => enables(present),
  disable: ({ enabled }) => (enabled ? [{ kind: "disable" }] : []),
  start: (present) => starts(present),
  stop: (present) => {
    const cleared = { kind: "clear-layer", path: present.paths.runtime } as const;
    return [...stops(present), ...(present.isVolatile && !hasEnded(present.active) ? [cleared] : [])];
  },
  command: () => [],
  rollback: (present) => {
    const restored = present.restored === undefined ? [] : [{ kind: "restore-layer", path: present.restored } as const];
    return [...stops(present), leaves(present), ...restored, { kind: "start" }, ...enables(present)];
  },
};

/** What becomes of the writable layer when another generation takes over. */
function leaves({ isVolatile, isKept, paths }: Present): Effect {
  return { kind: isKept && !isVolatile ? "keep-layer" : "clear-layer", path: paths.runtime };
}

function starts({ active }: Present): readonly Effect[] {
  return active === "active" ? [] : [{ kind: "start" }];
}

function stops({ active }: Present): readonly Effect[] {
  return hasEnded(active) ? [] : [{ kind: "stop" }];
}

function enables({ enabled, canEnable }: Present): readonly Effect[] {
  return enabled || !canEnable ? [] : [{ kind: "enable" }];
}

function removal({ enabled, paths }: Present): readonly Effect[] {
  return [
    { kind: "remove-layer", path: paths.runtimes },
    { kind: "remove-root", path: paths.root },
    ...(enabled ? [{ kind: "disable" } as const] : []),
    { kind: "remove-unit", path: paths.unit },
  ];
}
