import { afterAll, beforeAll, it } from 'vitest';
import { eventually, Namespace } from '../../test/machine/namespaces.ts';
import type { Watched } from './kernel-watch.ts';

/* Of what happens in a namespace, by commands of others. */

const SCRIPT = `
  import { KernelWatch } from '${new URL('kernel-watch.ts', import.meta.url).pathname}';
  const watch = new KernelWatch();
  watch.onTablesGone = () => console.log('tables gone');
  setInterval(() => { for (const kind of watch.take()) console.log(kind); }, 100);
`;

let host: Namespace;
let said = '';
beforeAll(async () => {
  host = await Namespace.make();
  await host.sh('ip link add br0 type bridge; ip link set br0 up; ip addr add 10.0.0.1/24 dev br0');
  const child = host.start(process.execPath, '--import', 'tsx', '--input-type=module', '-e', SCRIPT);
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await eventually('all monitors', async () => (said.match(/tables/g)?.length ?? 0) >= 2);
});
afterAll(() => host.close());

const changes: [what: string, kind: Watched | 'tables gone', command: string][] = [
  ['an interface', 'links', 'ip link set br0 mtu 1400'],
  ['an address', 'links', 'ip addr add 10.0.0.2/24 dev br0'],
  ['a route that is gone', 'routes', 'ip route add 10.9.0.0/16 dev br0 table 77; ip route flush table 77'],
  ['a routing rule', 'routes', 'ip rule add fwmark 7 table 77'],
  ['a neighbor', 'neighbors', 'ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev br0 nud permanent'],
  ['rules that are flushed', 'tables gone', 'nft add table inet theirs; nft flush ruleset'],
];

for (const [what, kind, command] of changes) {
  it(`hears of ${what}`, async () => {
    said = '';
    await host.sh(command);
    await eventually(what, async () => said.split('\n').includes(kind));
  });
}

it('takes all for changed when a monitor ends, and starts it again', async () => {
  const monitor = async () =>
    (await host.sh('ip netns pids "$(ip netns identify)" | xargs ps -o pid=,args= -p')).match(/(\d+) nft monitor/)?.[1];
  const first = await eventually('the monitor', monitor);
  said = '';
  await host.sh(`kill ${first}`);
  await eventually('all', async () => ['links', 'routes', 'neighbors', 'tables'].every((kind) => said.includes(kind)));
  await eventually('another', async () => (await monitor()) !== undefined && (await monitor()) !== first);
});
