/** A set, or a map when elements have values; elements are nft text made of checked values only. */
export interface SetPlan {
  /** What stands in its declaration, e.g. `type ifname . ipv4_addr` or `type mark : verdict`. */
  type: string;
  /** Key to value; an empty value in a set. */
  elements: Map<string, string>;
}

export interface ChainPlan {
  /** e.g. `type filter hook forward priority 0; policy accept;`, or null for a chain that others jump to. */
  hook: string | null;
  rules: string[];
}

export interface TablePlan {
  family: 'inet' | 'bridge';
  name: string;
  sets: Map<string, SetPlan>;
  chains: Map<string, ChainPlan>;
  /** Counters by their names. They are added, and stay when nothing names them any more: what they hold is yet to be read. */
  counters?: ReadonlySet<string>;
}

/** Tables by family. */
export type Ruleset = TablePlan[];

const emptyLike = (table: TablePlan): TablePlan => ({
  ...table,
  sets: new Map(),
  chains: new Map(),
  counters: new Set(),
});

/** The script that replaces whatever is in these tables, in one transaction. */
export function fullScript(ruleset: Ruleset): string {
  const lines = ruleset.flatMap((table) => [
    `add table ${table.family} ${table.name}`,
    ...tableChanges(emptyLike(table), table),
  ]);
  return removalScript(ruleset) + lines.map((line) => `${line}\n`).join('');
}

/** The script that removes these tables, whether they are there or not. */
export function removalScript(ruleset: Ruleset): string {
  const names = ruleset.map((table) => `${table.family} ${table.name}`);
  // Added first, for a table that is not there cannot be deleted.
  return names.map((name) => `add table ${name}\ndelete table ${name}\n`).join('');
}

/** The script that leads from one ruleset to another in one transaction; empty where they are the same. */
export function changeScript(before: Ruleset, after: Ruleset): string {
  const lines = after.flatMap((table) => {
    const old = before.find((one) => one.family === table.family && one.name === table.name);
    return tableChanges(old ?? emptyLike(table), table);
  });
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * In this order everything named exists when it is named: new sets and chains, then rules, then elements, which may jump
 * to the new chains, then what nothing names any more.
 */
function tableChanges(before: TablePlan, after: TablePlan): string[] {
  const table = `${after.family} ${after.name}`;
  const added: string[] = [];
  const rules: string[] = [];
  const elements: string[] = [];
  const removed: string[] = [];
  for (const name of after.counters ?? []) if (!before.counters?.has(name)) added.push(`add counter ${table} ${name}`);
  for (const [name, set] of after.sets) {
    const old = before.sets.get(name);
    const kind = set.type.includes(' : ') ? 'map' : 'set';
    if (!old) added.push(`add ${kind} ${table} ${name} { ${set.type}; }`);
    elements.push(...elementChanges(`${table} ${name}`, old?.elements ?? new Map(), set.elements));
  }
  for (const [name, chain] of after.chains) {
    const old = before.chains.get(name);
    if (!old) added.push(`add chain ${table} ${name}${chain.hook ? ` { ${chain.hook} }` : ''}`);
    if (old?.rules.join('\n') === chain.rules.join('\n')) continue;
    if (old) rules.push(`flush chain ${table} ${name}`);
    rules.push(...chain.rules.map((rule) => `add rule ${table} ${name} ${rule}`));
  }
  const gone = [...before.chains.keys()].filter((name) => !after.chains.has(name));
  removed.push(...gone.map((name) => `flush chain ${table} ${name}`));
  // Maps may lead to chains, and so keep them.
  for (const name of before.sets.keys()) if (!after.sets.has(name)) removed.push(`delete set ${table} ${name}`);
  removed.push(...gone.map((name) => `delete chain ${table} ${name}`));
  return [...added, ...rules, ...elements, ...removed];
}

function elementChanges(name: string, before: Map<string, string>, after: Map<string, string>): string[] {
  const text = ([key, value]: [string, string]) => (value === '' ? key : `${key} : ${value}`);
  const removed = [...before].filter(([key, value]) => after.get(key) !== value);
  const added = [...after].filter(([key, value]) => before.get(key) !== value);
  return [
    ...(removed.length > 0 ? [`delete element ${name} { ${removed.map(text).join(', ')} }`] : []),
    ...(added.length > 0 ? [`add element ${name} { ${added.map(text).join(', ')} }`] : []),
  ];
}
