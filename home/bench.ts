import { Refusal } from '../shared/refusal.ts';
import { benchControl } from '../test/bench/control.ts';
import { growth } from '../test/bench/growth.ts';
import { intranet } from '../test/bench/intranet.ts';
import { benchMetering } from '../test/bench/metering.ts';
import { network } from '../test/bench/network.ts';
import { benchRules } from '../test/bench/network-rules.ts';
import { placement } from '../test/bench/placement.ts';

const BENCHES: Record<string, (args: string[]) => Promise<void>> = {
  control: benchControl,
  growth,
  intranet,
  metering: benchMetering,
  network,
  placement,
  rules: benchRules,
};

/** `npm run bench:NAME`: prints figures, one a line. @throws Refusal for a name that is none */
export async function bench([name = '', ...args]: string[]): Promise<number> {
  const one = BENCHES[name];
  if (!one) throw new Refusal(`there is no benchmark ${name}. There is: ${Object.keys(BENCHES).join(', ')}`);
  await one(args);
  return 0;
}
