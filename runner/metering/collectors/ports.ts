import type { Sample } from '../../../shared/protocol/messages.ts';
import { type LinkCounters, listLinkCounters } from '../../host/links.ts';
import type { Names } from '../../network/names.ts';
import { epochOf } from '../epoch-of.ts';

/** What ports' taps have moved since they were made. One that has no tap has no sample. */
export async function readPorts(names: Names, bootId: string, portIds: Iterable<string>): Promise<Sample[]> {
  const links = new Map((await listLinkCounters()).map((link) => [link.name, link]));
  return [...portIds].flatMap((id) => {
    const link = links.get(names.tap(id));
    return link ? [sampleOf(id, bootId, link)] : [];
  });
}

/** The same of one port. */
export async function readPort(names: Names, bootId: string, portId: string): Promise<Sample[]> {
  return (await listLinkCounters(names.tap(portId))).map((link) => sampleOf(portId, bootId, link));
}

/** What a tap receives is what its guest sends. */
function sampleOf(id: string, bootId: string, { index, received, sent }: LinkCounters): Sample {
  return {
    type: 'port',
    id,
    epoch: epochOf(bootId, index),
    values: {
      'network.incoming.bytes': sent.bytes,
      'network.outgoing.bytes': received.bytes,
      'network.incoming.packets': sent.packets,
      'network.outgoing.packets': received.packets,
    },
  };
}
