import { BadValue, integer, invalidInput, members, nullOr, oneOf, type Parse, shown, text } from '../api/values.ts';

/** Options of one port; the runner's specs have the same bound. */
const OPTIONS_MAX = 32;
/** A name as dnsmasq knows it (`dnsmasq --help dhcp`), or a number. */
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** It becomes a line of a configuration. */
const VALUE = /^[\x20-\x7e]{0,255}$/;
/** What may be said without a value: that there is none. */
const MAY_BE_EMPTY = ['router', 'classless-static-route'];

/** An option that DHCP gives to one port. */
export interface DhcpOption {
  name: string;
  value: string;
  ip_version: 4 | 6;
}
/** As it was sent: without a value it is taken away. */
export type WantedOption = Omit<DhcpOption, 'value'> & { value: string | null };

const optionName: Parse<string> = (value) => {
  const name = text(64)(value);
  if (!NAME.test(name)) throw new BadValue(`'${shown(value)}' is not the name of a DHCP option`);
  return name;
};

const optionValue =
  (name: string): Parse<string> =>
  (value) => {
    const found = text(255)(value);
    if (!VALUE.test(found)) throw new BadValue(`'${shown(value)}' has characters other than printable ASCII`);
    if (found.trim() === '' && !MAY_BE_EMPTY.includes(name))
      throw new BadValue(`'${shown(value)}' Blank strings are not permitted`);
    return found;
  };

const option: Parse<WantedOption> = (sent) => {
  const given = members(sent, ['opt_name', 'opt_value'], ['ip_version']);
  const name = optionName(given.opt_name);
  return {
    name,
    value: nullOr(optionValue(name))(given.opt_value),
    ip_version: oneOf([4, 6], integer)(given.ip_version ?? 4),
  };
};

/** `extra_dhcp_opts` as clients send them; null is none. */
export const dhcpOptions: Parse<WantedOption[]> = (value) => {
  if (value === null) return [];
  if (!Array.isArray(value)) throw new BadValue(`'${shown(value)}' is not a list`);
  if (value.length > OPTIONS_MAX) throw new BadValue(`more than ${OPTIONS_MAX} items`);
  return value.map(option);
};

/** What a port has after a request: options that it does not name stay as they are. @throws ApiError 400 too many */
export function chooseOptions(current: readonly DhcpOption[], wanted: readonly WantedOption[] = []): DhcpOption[] {
  const key = ({ name, ip_version }: WantedOption) => `${ip_version} ${name}`;
  const options = new Map<string, WantedOption>();
  for (const one of [...current, ...wanted]) options.set(key(one), one);
  const left = [...options.values()].flatMap(({ value, ...one }) => (value === null ? [] : [{ ...one, value }]));
  if (left.length > OPTIONS_MAX) throw invalidInput(`A port has at most ${OPTIONS_MAX} DHCP options`);
  return left;
}
