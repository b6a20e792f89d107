import type { NetworkSpec } from '../../../shared/specs/network.ts';
import { DriverError } from '../../driver.ts';
import { bridgeBatch, encapsulationOf, findLink, ipBatch, isMachinesOwn, listMembers } from '../../host/links.ts';
import { CommandError } from '../../host/run.ts';
import { writeSysctl } from '../../host/sysctl.ts';
import type { Names } from '../names.ts';
import { planSegment, type SegmentPlan } from './plan-segment.ts';
import { segmentDevices, type Uplinks } from './uplinks.ts';

/**
 * Connects a network's bridge, which is there, to what carries it, or changes what differs.
 * @throws DriverError where this machine cannot carry it
 */
export async function ensureSegment(names: Names, spec: NetworkSpec, uplinks: Uplinks): Promise<void> {
  const plan = await findPlan(names, spec, uplinks);
  await removeStale(names, spec, uplinks, plan);
  if (!plan) return;
  const bridge = names.bridge(spec.id);
  if (plan.cable !== null) await ipBatch([['link', 'set', plan.cable, 'up']]);
  if (plan.made && !(await encapsulationOf(plan.device))) await make(plan);
  const link = await findLink(plan.device);
  if (link?.master && link.master !== bridge) {
    throw new DriverError(`Interface ${plan.device} is on ${link.master}, as only one network can be`, { code: 409 });
  }
  // The machine itself has nothing to say there.
  if (plan.made) await writeSysctl(`net/ipv6/conf/${plan.device}/disable_ipv6`, '1').catch(() => {});
  await ipBatch([
    ...(plan.made && link?.mtu !== plan.mtu ? [['link', 'set', plan.device, 'mtu', String(plan.mtu)]] : []),
    ...(link?.master === bridge ? [] : [['link', 'set', plan.device, 'master', bridge]]),
  ]);
  await bridgeBatch([['link', 'set', 'dev', plan.device, ...plan.flags]]);
  if (spec.external && link) await takeMac(bridge, link.mac);
  if (!link?.up) await ipBatch([['link', 'set', plan.device, 'up']]);
}

/** Disconnects a network's bridge; what is not there is fine. */
export async function removeSegment(names: Names, networkId: string): Promise<void> {
  const device = names.segment(networkId);
  if (await findLink(device)) await ipBatch([['link', 'delete', device]]);
}

/** Whether a network's bridge is connected as it should be. */
export async function isConnected(names: Names, spec: NetworkSpec, uplinks: Uplinks): Promise<boolean> {
  const devices = segmentDevices(names, spec, uplinks);
  if (devices.length === 0) return true;
  const members = await listMembers(names.bridge(spec.id));
  return members.some((link) => link.up && devices.includes(link.name));
}

async function findPlan(names: Names, spec: NetworkSpec, uplinks: Uplinks): Promise<SegmentPlan | null> {
  const { segment } = spec;
  const cable = segment.type === 'flat' ? uplinks.physicalNetworks[segment.physical_network] : undefined;
  const owned = cable !== undefined && (await isMachinesOwn(cable));
  const plan = planSegment(names, spec, uplinks, () => owned);
  if (plan?.cable && !(await findLink(plan.cable))) {
    throw new DriverError(`This machine has no interface ${plan.cable}`, { code: 412 });
  }
  return plan;
}

/** Another id, or another address of this machine: the interface is made anew. */
async function removeStale(names: Names, spec: NetworkSpec, uplinks: Uplinks, plan: SegmentPlan | null): Promise<void> {
  const device = names.segment(spec.id);
  const there = await encapsulationOf(device);
  const wanted = plan?.made?.encapsulation;
  if (there && JSON.stringify(there) !== JSON.stringify(wanted)) await ipBatch([['link', 'delete', device]]);
  const members = new Set((await listMembers(names.bridge(spec.id))).map((link) => link.name));
  const released = segmentDevices(names, spec, uplinks).filter(
    (one) => one !== device && one !== plan?.device && members.has(one),
  );
  await ipBatch(released.map((one) => ['link', 'set', one, 'nomaster']));
}

async function make({ made, device }: SegmentPlan): Promise<void> {
  if (!made) return;
  try {
    await ipBatch([made.command]);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const { kind, id } = made.encapsulation;
    const message = `This machine makes no interface of type ${kind} and id ${id}`;
    throw new DriverError(message, { code: 412, details: error.output.trim(), cause: error });
  }
  await ipBatch([['link', 'set', device, 'alias', made.alias]]);
}

/** On a network of the world each machine is known by its own interface. */
async function takeMac(bridge: string, mac: string): Promise<void> {
  if ((await findLink(bridge))?.mac !== mac) await ipBatch([['link', 'set', bridge, 'address', mac]]);
}
