import { z } from 'zod';
import { listSet } from '../../host/nft.ts';
import { TO_GATEWAY_BIT } from '../names.ts';
import { COUNTS, type Part } from './plan-counts.ts';

export interface Counter {
  packets: number;
  bytes: number;
}

/** A counter of the kernel's: whose packets, and where they went, as far as it tells. */
export interface Count extends Counter {
  /** Tells it from every other counter. */
  key: string;
  /** The sender, by its port's number, or by its bridge and address. */
  sender: { number: number } | { bridge: string; address: string };
  destination: string | null;
  protocol: number | null;
  port: number | null;
}

const word = z.union([z.string(), z.number()]);
const elements = z.array(
  z.object({
    elem: z.object({
      val: z.union([
        word.transform((one) => [one]),
        z.object({ concat: z.array(word) }).transform((val) => val.concat),
      ]),
      counter: z.object({ packets: z.number(), bytes: z.number() }),
    }),
  }),
);

/** All that the kernel has counted of denied packets in a table. @throws CommandError where the table has no counts */
export async function readCounts(table: string): Promise<Count[]> {
  const counts: Count[] = [];
  for (const [set, parts] of Object.entries(COUNTS)) {
    for (const { elem } of elements.parse(await listSet(table, set))) {
      const part = (name: Part) => elem.val[(parts as readonly Part[]).indexOf(name)];
      counts.push({
        ...elem.counter,
        key: `${set} ${elem.val.join(' ')}`,
        sender:
          part('mark') === undefined
            ? { bridge: String(part('bridge')), address: String(part('saddr')) }
            : { number: Number(part('mark')) & (TO_GATEWAY_BIT - 1) },
        destination: textOf(part('daddr')),
        protocol: numberOf(part('protocol')),
        port: numberOf(part('dport')),
      });
    }
  }
  return counts;
}

const textOf = (value: string | number | undefined) => (value === undefined ? null : String(value));
const numberOf = (value: string | number | undefined) => (value === undefined ? null : Number(value));
