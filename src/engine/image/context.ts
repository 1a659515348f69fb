import { type Inventory, takeInventory } from "../../image/inventory.js";
import { ImageStore } from "../../image/store.js";
import { layerUsers } from "../../machine/layer-users.js";
import type { EngineContext } from "../context.js";

/** What the store has now, as far as this user may see it. Nothing is changed. */
export async function lookIntoStore(context: EngineContext): Promise<{ readonly store: ImageStore; readonly inventory: Inventory }> {
  const store = await ImageStore.view(context.config.storage, context.host, context.report);
  return { store, inventory: await inventoryOf(context, store) };
}

/** Opens the store, works with it, and closes it. */
export async function whileOpen<T>({ config, host, report }: EngineContext, work: (store: ImageStore) => Promise<T>): Promise<T> {
  const store = await ImageStore.open(config.storage, host, report);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export function inventoryOf({ config }: EngineContext, store: ImageStore): Promise<Inventory> {
  return takeInventory(store, () => layerUsers(config));
}
