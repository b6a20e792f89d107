import type { Driver } from '../driver.ts';
import type { NetworkServices } from './services.ts';

/** Enforces security groups: chains of rules that the ports in them share. */
export function securityGroupDriver({ inventory, firewall }: NetworkServices): Driver<'security-group'> {
  return {
    kind: 'security-group',
    async apply({ id, spec }) {
      await inventory.put('security-group', id, spec);
      await firewall.sync();
      return { state: 'applied' };
    },
    async remove(id) {
      await inventory.drop('security-group', id);
      await firewall.sync();
    },
    async observe(id) {
      return inventory.groups.has(id) ? { state: 'applied' } : null;
    },
    async list() {
      return [...inventory.groups.keys()];
    },
  };
}

/** Keeps the addresses of groups that rules name as remote. */
export function groupMemberDriver({ inventory, firewall }: NetworkServices): Driver<'group-member'> {
  return {
    kind: 'group-member',
    async apply({ id, spec }) {
      await inventory.put('group-member', id, spec);
      await firewall.sync();
      return { state: 'applied' };
    },
    async remove(id) {
      await inventory.drop('group-member', id);
      await firewall.sync();
    },
    async observe(id) {
      return inventory.members.has(id) ? { state: 'applied' } : null;
    },
    async list() {
      return [...inventory.members.keys()];
    },
  };
}
