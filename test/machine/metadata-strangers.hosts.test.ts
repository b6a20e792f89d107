import { afterAll, beforeAll, expect, it } from 'vitest';
import { METADATA_ADDRESS, Names } from '../../runner/network/names.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { JoinedHosts } from './joined-hosts.ts';
import { groupOf, networkOf } from './specs.ts';

/* Which guest asks for metadata is told by its network's port on the machine: nobody comes to it but by the rules. */

const MARK = 'aemdst';
const CURL = 'curl -sS -m 20';
const CURL_BRIEFLY = 'curl -sS -m 1.5';

let joined: JoinedHosts;
const group = groupOf();
beforeAll(async () => {
  joined = await JoinedHosts.open(MARK, 1);
  await joined.applyEverywhere('security-group', group.id, group);
});
afterAll(() => joined.close());

/** Where the machine listens for a network's guests. */
async function listenerOf(net: NetworkSpec): Promise<string> {
  const key = `{ "${new Names(MARK).bridge(net.id)}" }`;
  const said = await joined.host(0).namespace.sh(`nft get element inet ${MARK} metadata '${key}'`);
  return `${METADATA_ADDRESS}:${/: 169\.254\.169\.254 \. (\d+)/.exec(said)?.[1]}`;
}

it('answers neither the world nor guests of other networks', async () => {
  const [one, two] = [networkOf('10.8.0.0/24'), networkOf('10.8.0.0/24')];
  for (const net of [one, two]) await joined.applyEverywhere('network', net.id, net);
  const guest = await joined.guest(0, one, 11, [group.id]);
  const { address, namespace } = joined.host(0);
  await joined.outside.sh(`ip route replace ${METADATA_ADDRESS} via ${address}`);
  for (const listener of [await listenerOf(one), await listenerOf(two)]) {
    expect(await namespace.does(`${CURL} ${listener}`)).toBe(true);
    expect(await joined.outside.does(`${CURL_BRIEFLY} ${listener}`)).toBe(false);
    expect(await guest.namespace.does(`${CURL_BRIEFLY} ${listener}`)).toBe(false);
  }
  expect(await guest.namespace.does(`${CURL} ${METADATA_ADDRESS}`)).toBe(true);
});
