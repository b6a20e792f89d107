import { canonicalAddress, versionOf } from '../addresses.ts';
import type { ChainPlan, SetPlan, TablePlan } from '../firewall/ruleset.ts';
import type { Inventory } from '../inventory.ts';
import { type Names, SEGMENT_NUMBER, TO_GATEWAY_BIT } from '../names.ts';
import { closedSets, countChain, countSets } from './plan-counts.ts';
import { insideOf, isWired, ownRanges } from './plan-inside.ts';
import { type Leaves, planLeaves } from './plan-leaves.ts';
import { joined, type Range, rangeOf, rangeText, without } from './ranges.ts';

/** What no prefix closes, however wide it is: metadata, and what never leaves a bridge by routing. */
const NEVER_CLOSED = ['127.0.0.0/8', '169.254.169.254/32', '224.0.0.0/3', '::/127', 'fe80::/10', 'ff00::/8'].map(
  rangeOf,
);
const EVERYWHERE = ['0.0.0.0/0', '::/0'].map(rangeOf);
/** Intranet machines may ask guests; each packet that a guest sends first is judged, so that a prefix ends what it closes. */
const ANSWERS = ['ct state related return', 'ct state established ct direction reply return'];
const DHCP = ['udp sport 68 udp dport 67 return', 'udp sport 546 udp dport 547 return'];
/** After connection tracking at -200, before what tenants may say at -150 and before translation at -100. */
const BEFORE_TENANTS = -160;
/** Before what tenants may say at 0. */
const BEFORE_RECEIVERS = -10;

/**
 * The intranet filter, in a table of its own. What a guest sends is judged twice: as it was sent, by the port that the
 * bridge table marked it with; and by where it goes when it is translated and routed. A destination among the prefixes is
 * let go only inside of what the tenant's routers join, or by an exception. Empty where nothing is declared.
 */
export function planIntranetTable(names: Names, inventory: Inventory, nowMs: number): TablePlan {
  const filter = inventory.all('intranet').get('filter')?.spec;
  const declared = (filter?.prefixes ?? []).map(rangeOf);
  const closed = without(declared, NEVER_CLOSED);
  if (!filter || closed.length === 0)
    return { family: 'inet', name: names.intranetTable, sets: new Map(), chains: new Map() };
  const leaves = planLeaves(inventory, nowMs);
  const sets = {
    ...addressSets(closed),
    ...placeSets(names, inventory, declared),
    ...leaveSets(names, inventory, leaves),
  };
  return {
    family: 'inet',
    name: names.intranetTable,
    // Last of all, so that nothing is counted before all that lets it go is in force.
    sets: new Map([...Object.entries({ ...sets, ...countSets() }), ...leaves.sets, ...closedSets(closed)]),
    chains: new Map([...leaves.chains, ...countChain(filter.dry_run), ...chains()]),
  };
}

const set = (type: string): SetPlan => ({ type, elements: new Map() });

/**
 * What is open, not what is closed: Linux hands a new set of intervals to packets a moment after the rules that ask it, and
 * until then nothing is in it.
 */
function addressSets(closed: Range[]): Record<string, SetPlan> {
  const sets = { open4: set('type ipv4_addr; flags interval'), open6: set('type ipv6_addr; flags interval') };
  for (const range of without(EVERYWHERE, closed)) sets[`open${range.version}`].elements.set(rangeText(range), '');
  return sets;
}

/** Which bridges there are, and what is reached from each without leaving the tenant's own. */
function placeSets(names: Names, inventory: Inventory, declared: Range[]): Record<string, SetPlan> {
  const sets = {
    bridges: set('type ifname'),
    same_bridge: set('type ifname . ifname'),
    /** With cables. */
    wires: set('type ifname'),
    /** Where nothing but guests is. */
    inner: set('type ifname'),
    inner_wires: set('type ifname'),
    own4: set('type ifname . ipv4_addr; flags interval'),
    own6: set('type ifname . ipv6_addr; flags interval'),
    inside4: set('type ifname . ipv4_addr; flags interval'),
    inside6: set('type ifname . ipv6_addr; flags interval'),
  };
  const inside = insideOf(inventory, declared);
  for (const { spec } of inventory.networks.values()) {
    const bridge = `"${names.bridge(spec.id)}"`;
    sets.bridges.elements.set(bridge, '');
    sets.same_bridge.elements.set(`${bridge} . ${bridge}`, '');
    if (isWired(spec)) sets.wires.elements.set(bridge, '');
    if (!spec.external) sets[isWired(spec) ? 'inner_wires' : 'inner'].elements.set(bridge, '');
    for (const range of joined(ownRanges(spec, declared)))
      sets[`own${range.version}`].elements.set(`${bridge} . ${rangeText(range)}`, '');
    for (const range of inside.get(spec.id) ?? [])
      sets[`inside${range.version}`].elements.set(`${bridge} . ${rangeText(range)}`, '');
  }
  return sets;
}

/** Who has exceptions: by the mark of its frames, and by its addresses where the mark is the network's. */
function leaveSets(names: Names, inventory: Inventory, { chainOf }: Leaves): Record<string, SetPlan> {
  const sets = {
    leave: set('type mark : verdict'),
    leave4: set('type ifname . ipv4_addr : verdict'),
    leave6: set('type ifname . ipv6_addr : verdict'),
  };
  for (const { spec, number } of inventory.ports.values()) {
    const chain = chainOf.get(spec.id);
    if (!chain) continue;
    sets.leave.elements.set(String(number), `jump ${chain}`);
    sets.leave.elements.set(String(number + TO_GATEWAY_BIT), `jump ${chain}`);
    const bridge = `"${names.bridge(spec.network_id)}"`;
    for (const { ip_address } of spec.fixed_ips) {
      const address = canonicalAddress(ip_address);
      sets[`leave${versionOf(address)}`].elements.set(`${bridge} . ${address}`, `jump ${chain}`);
    }
  }
  return sets;
}

const BOTH = [
  ['ip', '4'],
  ['ip6', '6'],
] as const;
/** A rule for each version: `%F` is the header's name, `%V` the version's number. */
const both = (rule: string): string[] =>
  BOTH.map(([field, version]) => rule.replaceAll('%F', field).replaceAll('%V', version));

function chains(): [string, ChainPlan][] {
  const filter = (hook: string, priority: number, rules: string[]): ChainPlan => ({
    hook: `type filter hook ${hook} priority ${priority}; policy accept;`,
    rules,
  });
  const jumped = (rules: string[]): ChainPlan => ({ hook: null, rules });
  const judged = (chain: string) => ['iifname != @bridges return', ...both(`%F daddr != @open%V goto ${chain}`)];
  return [
    ['as_sent', filter('prerouting', BEFORE_TENANTS, judged('judge_sent'))],
    ['as_routed', filter('forward', BEFORE_RECEIVERS, judged('judge_routed'))],
    ['for_this_machine', filter('input', BEFORE_RECEIVERS, judged('judge_for_machine'))],
    [
      'judge_sent',
      jumped([
        // Came by a tunnel or a cable: it was judged where it was sent.
        `meta mark and 0x${(TO_GATEWAY_BIT - 1).toString(16)} { 0, ${SEGMENT_NUMBER} } return`,
        ...ANSWERS,
        ...DHCP,
        `meta mark and 0x${TO_GATEWAY_BIT.toString(16)} == 0 goto judge_bridged`,
        ...both('iifname . %F daddr @inside%V return'),
        'meta mark vmap @leave',
        'goto denied_as_sent',
      ]),
    ],
    [
      'judge_bridged',
      jumped([
        // To another guest, here or through a tunnel.
        'iifname != @wires return',
        ...both('iifname . %F daddr @own%V return'),
        'meta mark vmap @leave',
        'goto denied_as_sent',
      ]),
    ],
    [
      'judge_routed',
      jumped([
        ...ANSWERS,
        // Bridged frames, and those that come back to where they were sent: judged as they were sent.
        'iifname . oifname @same_bridge return',
        'oifname @inner return',
        ...both('oifname @inner_wires oifname . %F daddr @own%V return'),
        ...both('iifname . %F saddr vmap @leave%V'),
        'goto denied_as_routed',
      ]),
    ],
    [
      'judge_for_machine',
      jumped([
        ...ANSWERS,
        ...DHCP,
        ...both('iifname . %F daddr @inside%V return'),
        ...both('iifname . %F saddr vmap @leave%V'),
        'goto denied_as_routed',
      ]),
    ],
  ];
}
