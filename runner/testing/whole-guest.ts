import type { FakeEdge } from './fake-edge.ts';
import { groupOf, id, networkOf, portOf, serverOf } from './specs.ts';

export const [n1, p1, s1, s2] = [id(1), id(2), id(3), id(4)];

/** A guest with all that it needs. */
export const wholeGuest = [
  { kind: 'network', id: n1, spec: networkOf(1) },
  { kind: 'security-group', id: id(9), spec: groupOf(9) },
  { kind: 'port', id: p1, spec: portOf(2, 1, { security_groups: [id(9)] }) },
  { kind: 'server', id: s1, spec: serverOf(3, { ports: [p1] }) },
];

/** Resolves when the edge was told that a server runs. */
export const running = (edge: FakeEdge, name = s1) =>
  edge.until(`server ${name} running`, () => edge.observation('server', name)?.state === 'running');

/** Lets a wait of the edge look again although the edge itself hears nothing. */
export function poke(edge: FakeEdge): false {
  setTimeout(() => edge.tell(), 5);
  return false;
}
