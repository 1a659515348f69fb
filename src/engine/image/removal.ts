import type { Inventory } from "../../image/inventory.js";
import type { ImageStore } from "../../image/store.js";
import { usageOf } from "../../image/usage.js";
import type { EngineContext } from "../context.js";
import { inventoryOf } from "./context.js";

/**
 * Removes layers, but for those that somebody has come to need since the inventory was taken.
 * @returns ids of those that are gone
 */
export async function removeLayers(
  context: EngineContext,
  store: ImageStore,
  inventory: Inventory,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const gone = await store.removeLayers(ids, async () => {
    const now = await inventoryOf(context, store);
    // Layers that cannot be found any more still say what they stand on.
    return new Set(usageOf({ ...now, layers: new Map([...inventory.layers, ...now.layers]) }).keys());
  });
  return new Set(gone);
}
