import type { ComputeContext } from '../compute/context.ts';
import type { Guests } from '../compute/guests.ts';
import type { LiveGuest } from '../compute/live-guest.ts';
import { errorText } from '../log.ts';
import type { NetworkServices } from '../network/services.ts';
import type { Collector } from './collector.ts';
import { readGuestDisks } from './collectors/guest-disks.ts';
import { readGuestProcess } from './collectors/guest-processes.ts';
import { readMachine } from './collectors/machine-itself.ts';
import { readPort, readPorts } from './collectors/ports.ts';
import { LastReadings } from './last-readings.ts';
import { ofEach } from './of-each.ts';

/** The collectors of a machine with real guests, and what reads counters just before their end. */
export function machineMeters(o: { ctx: ComputeContext; guests: Guests; services: NetworkServices }): {
  collectors(runnerId: string): Collector[];
  /** Reads a port's tap a last time. */
  lastOfPort(portId: string): Promise<void>;
} {
  const { ctx, guests, services } = o;
  const { bootId, names, inventory, stateDir, log } = ctx;
  const last = new LastReadings();
  guests.beforeEnd = async (live) => {
    const readings = await Promise.all([
      readGuestProcess(bootId, live).catch(() => null),
      // A guest that is ended for its monitor's sake has none that answers.
      readGuestDisks(bootId, live).catch(() => null),
    ]);
    last.hold(readings.filter((sample) => sample !== null));
  };
  const living = () => new Map(guests.living.map((live): [string, LiveGuest] => [live.id, live]));
  const processes = ofEach('guest-processes', log, (live: LiveGuest) => readGuestProcess(bootId, live));
  const disks = ofEach('guest-disks', log, (live: LiveGuest) => readGuestDisks(bootId, live));
  const { meters } = services.firewall;
  return {
    collectors: (runnerId) => [
      last,
      { name: 'machine', collect: () => readMachine(runnerId, bootId, stateDir) },
      { name: 'guest-processes', collect: () => processes(living()) },
      { name: 'guest-disks', collect: () => disks(living()) },
      { name: 'ports', collect: () => readPorts(names, bootId, inventory.ports.keys()) },
      {
        name: 'public-traffic',
        collect: () => meters.read(),
        kept: async () => {
          if (meters.kept()) await services.firewall.sync();
        },
      },
    ],
    async lastOfPort(portId) {
      if (!inventory.ports.has(portId)) return;
      await readPort(names, bootId, portId).then(
        (samples) => last.hold(samples),
        (error: unknown) => log.debug('port-not-read', { port: portId, error: errorText(error) }),
      );
    },
  };
}
