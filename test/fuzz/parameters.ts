import fc from 'fast-check';
import { kindOfMember } from './kinds.ts';
import { nastyText } from './nasty.ts';
import type { Query } from './queries.ts';
import type { Pick } from './requests.ts';

/** A parameter of a query: its value may be some object's id. */
export interface Parameter {
  key: string;
  value: Pick;
}

const TEXT_CHARS_MAX = 2_000;
const PARAMETERS_MAX = 3;
const FLAGS = [
  ...[/^(enabled|effective|reserved|detailed|shared|hidden|locked|protected|default|deleted|nocatalog|config_drive)$/],
  ...[/^(all_|is_|include_|with_|admin_state|port_security|auto_disk|soft_|allow_|os_hidden|page_reverse|multi_host)/],
  ...[/_(as_list|as_ids|enabled|external|default|up|alive|dhcp|distributed|ha)$/, /:external$/],
];
const TIMES = /(_at|^start|^end|^changes-(since|before)|_since)$/;
const NUMBERS =
  /(^limit|^offset|^size|^virtual_size|^min|^vcpus|^progress|^launch_index|power_state|_version|port_range|port$|_index|mtu|_max|_min|number|prefixlen|segmentation_id)/i;
const ADDRESSES = /(^ip6?$|_ip$|_ip_|ip_address|cidr|prefix|gateway)/;
/** What a list takes where only some words count. */
const WORDS = new Map([
  ['visibility', ['public', 'private', 'shared', 'community', 'all']],
  ['member_status', ['accepted', 'pending', 'rejected', 'all']],
  ['status', ['ACTIVE', 'active', 'BUILD', 'queued', 'DOWN', 'ERROR']],
  ['sort', ['name:asc', 'id', 'created_at:desc,name']],
  ['type', ['blob', 'snapshot', 'server']],
  ['interface', ['public', 'internal']],
  ['direction', ['ingress', 'egress']],
  ['binary', ['nova-compute']],
  ['begin', ['2026-01-02T03:04:05Z', '2026-01-02 03:04:05+00:00', '2026-01-02']],
  ['filters', ['type:server', 'type:server,project_id:x', 'currency:EUR']],
  ['groupby', ['type', 'time', 'time-d,project_id', 'project_id,type', 'metric', 'id']],
  ['response_format', ['table', 'object']],
  ['order', ['asc', 'DESC']],
  ['active', ['0', '1']],
]);

const text = (value: string): Pick => ({ from: 'text', text: encodeURIComponent(value.toWellFormed()) });
const texts = (...values: readonly string[]): fc.Arbitrary<Pick> => fc.constantFrom(...values).map(text);
const own = (kind: string): fc.Arbitrary<Pick> =>
  fc.record({ from: fc.constant('own' as const), kind: fc.constant(kind), at: fc.nat() });

/** A value that a parameter of this name is meant for. */
function meant(key: string, collection: string): fc.Arbitrary<Pick> {
  const words = WORDS.get(key);
  if (words) return texts(...words);
  if (FLAGS.some((flags) => flags.test(key))) return texts('true', 'false', 'True', '1', '0');
  if (TIMES.test(key)) return texts('2026-01-02T03:04:05Z', '2026-01-02T03:04:05', 'gt:2026-01-02T03:04:05Z');
  if (NUMBERS.test(key)) return fc.nat({ max: 20 }).map((number) => text(String(number)));
  if (ADDRESSES.test(key)) return texts('10.7.0.9', 'fd00:7::9', '10.9.1.0/24', '10.');
  if (key === 'marker' || key === 'id' || key === 'uuid') return own(collection);
  if (/(_id|_uuid|\.id|^owner|Ref|^image|^flavor|^server|^host|^router)$/.test(key))
    return own(kindOfMember(key.replace('.', '_').replace(/^scope_/, ''), collection));
  return texts('blue', 'own', 'a,b', 'id', 'name');
}

/**
 * Parameters of a list as its code reads them, and now and then nasty ones.
 * @param collection - the kind of what is listed
 * @param nastily - out of 10 values, those that are anything
 */
export function parametersOf(
  { parameters, sortKeys }: Query,
  collection: string,
  nastily: number,
): fc.Arbitrary<Parameter[]> {
  const valued = (key: string): fc.Arbitrary<Pick> =>
    fc.oneof(
      { weight: 10 - nastily, arbitrary: meant(key, collection) },
      { weight: nastily, arbitrary: nastyText.map((value) => text(value.slice(0, TEXT_CHARS_MAX))) },
    );
  const parameter = (key: string) => valued(key).map((value): Parameter[] => [{ key, value }]);
  const sort = (key: string) =>
    fc.constantFrom('asc', 'desc').map((direction): Parameter[] => [
      { key: 'sort_key', value: text(key) },
      { key: 'sort_dir', value: text(direction) },
    ]);
  const kinds = [
    { weight: 4, names: parameters, drawn: parameter },
    { weight: 1, names: sortKeys, drawn: sort },
  ].filter(({ names }) => names.length > 0);
  const one = fc.oneof(
    ...kinds.map(({ weight, names, drawn }) => ({ weight, arbitrary: fc.constantFrom(...names).chain(drawn) })),
  );
  const maxLength = parameters.length + sortKeys.length > 1 ? PARAMETERS_MAX : 1;
  return fc.array(one, { minLength: 1, maxLength }).map((found) => found.flat());
}
