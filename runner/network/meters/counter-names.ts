/** What is counted of a resource in the kernel: two counters, made and removed together, that share an epoch. */
export interface Counted {
  type: 'port' | 'floating_ip';
  id: string;
  /** New whenever the counters begin from zero. It is part of their names, and so lives and dies with them. */
  epoch: string;
}
/** As the guest sees it. */
export type Way = 'in' | 'out';

const NAME = /^(port|floating_ip)_([0-9a-f-]{36})_([0-9a-z]+)_(in|out)$/;

/** The names of a resource's two counters in the kernel, plain and as maps have them. */
export interface CounterPair extends Counted {
  in: string;
  out: string;
  quotedIn: string;
  quotedOut: string;
}

export function counterPair({ type, id, epoch }: Counted): CounterPair {
  const name = `${type}_${id}_${epoch}`;
  return {
    type,
    id,
    epoch,
    in: `${name}_in`,
    out: `${name}_out`,
    quotedIn: `"${name}_in"`,
    quotedOut: `"${name}_out"`,
  };
}

/** What a counter counts, from its name; null for one that is not ours. */
export function parseCounterName(name: string): { counted: Counted; way: Way } | null {
  const [, type, id, epoch, way] = NAME.exec(name) ?? [];
  if (!type || !id || !epoch || !way) return null;
  return { counted: { type: type as Counted['type'], id, epoch }, way: way as Way };
}
