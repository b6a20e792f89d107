import { hasVlans } from '../../runner/host/links.ts';
import { SysctlKeeper } from '../../runner/host/sysctl.ts';
import { ensureBridge } from '../../runner/network/bridges.ts';
import { Names } from '../../runner/network/names.ts';
import { planBridge } from '../../runner/network/plan-bridge.ts';
import { ensureSegment } from '../../runner/network/segments/segments.ts';
import { networkSpec } from '../../shared/specs/network.ts';

/* Makes 802.1Q networks of a machine whose namespace this is: two arguments each, the network's id and its 802.1Q id. */

const names = new Names('aevlan');
const sysctls = new SysctlKeeper(`/tmp/kernel-settings-${process.pid}.json`);
const args = process.argv.slice(2);
console.log(`vlan capability: ${await hasVlans(names.segment('probe'))}`);
for (let at = 0; at + 1 < args.length; at += 2) {
  const segment = { type: 'vlan', id: Number(args[at + 1]), physical_network: 'cables' };
  const spec = networkSpec.parse({ id: args[at], mtu: 1500, segment, snat: false, host_access: false, subnets: [] });
  await ensureBridge(names, planBridge(names, spec, at + 1, []), sysctls);
  await ensureSegment(names, spec, { tunnelAddress: null, physicalNetworks: { cables: 'ph0' } });
  console.log(`bridge ${spec.id}: ${names.bridge(spec.id)}`);
}
