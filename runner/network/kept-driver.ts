import type { Kind } from '../../shared/specs/kinds.ts';
import type { Driver } from '../driver.ts';
import type { NetworkServices } from './services.ts';

/** A kind that is nothing on the machine by itself: it is kept, and the rules are made of it. */
export function keptDriver<K extends Kind>({ inventory, firewall }: NetworkServices, kind: K): Driver<K> {
  return {
    kind,
    async apply({ id, spec }) {
      await inventory.put(kind, id, spec);
      await firewall.sync();
      return { state: 'applied' };
    },
    async remove(id) {
      await inventory.drop(kind, id);
      await firewall.sync();
    },
    async observe(id) {
      return inventory.all(kind).has(id) ? { state: 'applied' } : null;
    },
    async list() {
      return [...inventory.all(kind).keys()];
    },
  };
}
