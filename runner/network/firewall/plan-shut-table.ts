import type { Names } from '../names.ts';
import type { TablePlan } from './ruleset.ts';

/** What stands for the rules while they are loaded anew: taps send nothing and receive nothing. */
export function planShutTable(names: Names): TablePlan {
  const taps = `"${names.tapPrefix}*"`;
  const chain = (hook: string, rule: string) => ({
    hook: `type filter hook ${hook} priority -301; policy accept;`,
    rules: [rule],
  });
  return {
    family: 'bridge',
    name: names.shutTable,
    sets: new Map(),
    chains: new Map([
      ['from_taps', chain('prerouting', `iifname ${taps} drop`)],
      ['to_taps', chain('postrouting', `oifname ${taps} drop`)],
    ]),
  };
}
