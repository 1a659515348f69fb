import type { Place } from "./place.js";

/** What happens during the work; the command line shows it, or prints it for programs. */
export type Event =
  /** Work that is no step of a script. `url`: what it is about; another event with that URL ends it. */
  | { readonly kind: "begin"; readonly text: string; readonly url?: string }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "detail"; readonly text: string }
  /** Bytes on their way, up to ten times a second. `total`: as announced. `done`: these were all. */
  | {
      readonly kind: "transfer";
      readonly url: string;
      readonly direction: "down" | "up";
      readonly bytes: number;
      readonly total?: number;
      readonly done: boolean;
    }
  | {
      readonly kind: "pulled";
      readonly url: string;
      readonly digest: string;
      readonly bytes: number;
      readonly seconds: number;
      readonly how: "fetched" | "stored";
    }
  | { readonly kind: "step-begin"; readonly at: Place; readonly text: string }
  | { readonly kind: "output"; readonly line: string }
  /** `why`: what had it done again, in a build. */
  | {
      readonly kind: "step-end";
      readonly at: Place;
      readonly text: string;
      readonly seconds: number;
      readonly cached: boolean;
      readonly why?: string;
    }
  /** `unchanged`: the URL had this very archive already, so nothing was sent. */
  | {
      readonly kind: "pushed";
      readonly url: string;
      readonly digest: string;
      readonly bytes: number;
      readonly seconds: number;
      readonly unchanged: boolean;
    }
  /** Something is gone from the store; `bytes` that are free on its disk. `what`: `image`, a URL's record, or as in `nspawn prune`. */
  | { readonly kind: "removed"; readonly what: string; readonly name: string; readonly bytes: number }
  | { readonly kind: "acted"; readonly text: string; readonly seconds?: number };

export type EventOf<K extends Event["kind"]> = Extract<Event, { readonly kind: K }>;

export type Report = (event: Event) => void;

/** Seconds since `start`, a value of performance.now(). */
export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
