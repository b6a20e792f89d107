import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DeniedFlow } from '../../shared/specs/intranet.ts';
import { type CheapGuest, WORLD } from './joined-hosts.ts';
import { JoinedRouters } from './joined-routers.ts';
import { eventually } from './namespaces.ts';

/* Rules that are loaded whole ask for sets that are not in force for a moment: what they then drop was not denied. */

const MARK = 'aeinno';
const LOADS = 6;
/** The more there is to load, the longer the moment. */
const PREFIXES = ['10.0.0.0/8', ...Array.from({ length: 900 }, (_, at) => `11.${at >> 7}.${(at & 127) * 2}.0/24`)];

let routers: JoinedRouters;
let a: CheapGuest;
let b: CheapGuest;
beforeAll(async () => {
  routers = await JoinedRouters.open(MARK, 1);
  const { joined, open } = routers;
  const [one, two] = [await routers.network('10.92.0.0/24'), await routers.network('10.93.0.0/24')];
  await routers.router([one, two]);
  [a, b] = [await joined.guest(0, one, 11, [open.id]), await joined.guest(0, two, 12, [open.id])];
  await joined.applyEverywhere('intranet', 'filter', { dry_run: false, prefixes: PREFIXES });
});
afterAll(() => routers.joined.close());

/** Sends without a pause, to addresses by turns. */
const flood = (...to: string[]) =>
  a.namespace.start(
    'python3',
    '-c',
    `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
  for to in ${JSON.stringify(to)}:
    try: s.sendto(b"x", (to, 9))
    except OSError: pass`,
  );

it('counts nobody as denied who was not, however often all rules are loaded', async () => {
  const asked = { method: 'query', operation: 'denied', id: 'x', kind: 'intranet', args: {} } as const;
  const { joined } = routers;
  const denied = async () => (await joined.host(0).machine.call<{ flows: DeniedFlow[] }>(asked)).flows;
  flood(WORLD, b.address);
  for (let load = 0; load < LOADS; load += 1) {
    await joined.host(0).machine.kill();
    await joined.reopen(0);
    expect(await denied()).toEqual([]);
  }
  // Who asks for what is closed is still told of.
  flood('10.200.0.1');
  await eventually('what is denied', async () => (await denied()).length > 0);
  expect([...new Set((await denied()).map(({ destination }) => destination))].sort()).toEqual(['10.200.0.1', null]);
});
