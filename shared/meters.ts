/** What is measured of what. Counters only rise while their `epoch` lasts; gauges are as they are when read. */
export const METERS = {
  'cpu.time': { of: 'server', type: 'counter', unit: 'ns' },
  'memory.usage': { of: 'server', type: 'gauge', unit: 'bytes' },
  'disk.read.bytes': { of: 'server', type: 'counter', unit: 'bytes' },
  'disk.write.bytes': { of: 'server', type: 'counter', unit: 'bytes' },
  'disk.read.requests': { of: 'server', type: 'counter', unit: 'requests' },
  'disk.write.requests': { of: 'server', type: 'counter', unit: 'requests' },
  'network.incoming.bytes': { of: 'port', type: 'counter', unit: 'bytes' },
  'network.outgoing.bytes': { of: 'port', type: 'counter', unit: 'bytes' },
  'network.incoming.packets': { of: 'port', type: 'counter', unit: 'packets' },
  'network.outgoing.packets': { of: 'port', type: 'counter', unit: 'packets' },
  /** What left to the world or came from it, apart from what stayed between guests. */
  'public.egress.bytes': { of: 'port', type: 'counter', unit: 'bytes' },
  'public.ingress.bytes': { of: 'port', type: 'counter', unit: 'bytes' },
  'floating_ip.egress.bytes': { of: 'floating_ip', type: 'counter', unit: 'bytes' },
  'floating_ip.ingress.bytes': { of: 'floating_ip', type: 'counter', unit: 'bytes' },
  'host.cpu.time': { of: 'runner', type: 'counter', unit: 'ns' },
  'host.memory.used': { of: 'runner', type: 'gauge', unit: 'bytes' },
  'host.disk.used': { of: 'runner', type: 'gauge', unit: 'bytes' },
} as const satisfies Record<string, { of: string; type: 'counter' | 'gauge'; unit: string }>;
export type Meter = keyof typeof METERS;

/** Between two samples of a runner. */
export const SAMPLE_EVERY_MS = 10_000;
/** What is sealed, kept and billed. */
export const WINDOW_MS = 3_600_000;
