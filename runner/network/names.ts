import { createHash } from 'node:crypto';

/** Networks and ports of one machine are numbered below these, for marks of 32 bits. */
export const NETWORK_NUMBER_MAX = 0xffff;
export const PORT_NUMBER_MAX = 0x3fff_fffe;
/** Stands for whatever is behind a network's segment where ports' numbers stand. */
export const SEGMENT_NUMBER = 0x3fff_ffff;

/** On a packet between guests and the world: this bit, 15 bits of the runner's mark, 16 bits of the network's number. */
const NETWORK_MARK_BIT = 0x8000_0000;
/** On a frame from a guest's tap: it goes to the gateway, not to another guest. */
export const TO_GATEWAY_BIT = 0x4000_0000;
/** On a packet for a guest that the inet table has judged: the bridge table lets no other pass. */
export const JUDGED_MARK = 0x7fff_ffff;
export const NETWORK_MARK_MASK = 0xffff_0000;
/** Routing tables of ours: 8 fixed bits, 8 of the runner's mark, 16 of the network's number. */
const TABLE_BASE = 0x0a00_0000;
/** Routing tables of what routers add to a network's, by the same scheme. */
const ROUTER_TABLE_BASE = 0x0b00_0000;

export const METADATA_ADDRESS = '169.254.169.254';

const MARK = /^[a-z][a-z0-9]{0,15}$/;
/** Interface names have 15 characters: the mark's part, a letter for the kind, and a part of the hash of the id. */
const PREFIX_CHARACTERS = 6;
const HASH_CHARACTERS = 8;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hex = (value: number) => `0x${(value >>> 0).toString(16).padStart(8, '0')}`;

/** Names and numbers of everything that a runner makes in a network namespace, from its mark. */
export class Names {
  readonly mark: string;
  readonly #prefix: string;
  readonly #hash: number;
  /** Names are asked for at each change of the rules. */
  readonly #interfaces = new Map<string, string>();

  constructor(mark: string) {
    if (!MARK.test(mark)) throw new Error(`a mark is a letter and up to 15 letters or digits, lower case: ${mark}`);
    this.mark = mark;
    this.#prefix = mark.length === PREFIX_CHARACTERS ? mark : (mark.slice(0, 2) + sha256(mark)).slice(0, 6);
    this.#hash = Number.parseInt(sha256(mark).slice(0, 8), 16);
  }

  /** The nftables table, of the families inet and bridge. */
  get table(): string {
    return this.mark;
  }

  /** The nftables table of the intranet filter, of the families inet and bridge. */
  get intranetTable(): string {
    return `${this.mark}-intranet`;
  }

  /** The nftables table, of the family inet, that counts what goes to the world. It is never loaded anew while it stands. */
  get metersTable(): string {
    return `${this.mark}-meters`;
  }

  /** The nftables table, of the family bridge, that stands while the others are loaded anew. */
  get shutTable(): string {
    return `${this.mark}-shut`;
  }

  /** Every nftables table that always stands, as `family name`. */
  get tables(): string[] {
    const both = [this.table, this.intranetTable].flatMap((table) => [`bridge ${table}`, `inet ${table}`]);
    return [...both, `inet ${this.metersTable}`];
  }

  bridge(networkId: string): string {
    return this.#interface('b', networkId);
  }

  /** The device between a network's bridge and what carries it to other machines. */
  segment(networkId: string): string {
    return this.#interface('s', networkId);
  }

  tap(portId: string): string {
    return this.#interface('t', portId);
  }

  /** What the name of every tap of ours begins with. */
  get tapPrefix(): string {
    return `${this.#prefix}t`;
  }

  /** Whether an interface is ours, by its alias, or by its name when it has none. */
  owns(link: { name: string; alias: string | null }): boolean {
    if (link.alias !== null) return link.alias.startsWith(`${this.mark}:`);
    return new RegExp(`^${this.#prefix}[bst][0-9a-f]{${HASH_CHARACTERS}}$`).test(link.name);
  }

  alias(kind: 'network' | 'port' | 'segment', id: string): string {
    return `${this.mark}:${kind}:${id}`;
  }

  /** The id in an alias of ours. */
  idOf(kind: 'network' | 'port', alias: string | null): string | null {
    const start = `${this.mark}:${kind}:`;
    return alias?.startsWith(start) ? alias.slice(start.length) : null;
  }

  /** The packet mark of a network, as nft and ip write it. */
  networkMark(number: number): string {
    return hex(this.#networkMarkBase + number);
  }

  /** What every network mark of this runner has in common, under NETWORK_MARK_MASK. */
  get networkMarkBase(): string {
    return hex(this.#networkMarkBase);
  }

  /** The routing table of a network; number 0 is the one for the machine's own traffic. */
  routingTable(number: number): number {
    return TABLE_BASE + (((this.#hash >>> 16) & 0xff) << 16) + number;
  }

  /** The routing table of a network's ways beyond it, asked after its own. */
  routerTable(number: number): number {
    return this.routingTable(number) - TABLE_BASE + ROUTER_TABLE_BASE;
  }

  /** Whether a routing table is of this runner. */
  ownsTable(table: number): boolean {
    return (
      (table >= this.routingTable(0) && table <= this.routingTable(NETWORK_NUMBER_MAX)) || this.ownsRouterTable(table)
    );
  }

  /** Whether a routing table is of ways beyond a network of this runner. */
  ownsRouterTable(table: number): boolean {
    return table >= this.routerTable(0) && table <= this.routerTable(NETWORK_NUMBER_MAX);
  }

  /** Where daemons that give up root keep what they must read again: they cannot enter the state folder. */
  runFolder(stateDir: string): string {
    return `/run/aerostat/${this.mark}-${sha256(stateDir).slice(0, 12)}`;
  }

  get #networkMarkBase(): number {
    return (NETWORK_MARK_BIT + (this.#hash & 0x7fff) * 0x1_0000) >>> 0;
  }

  #interface(letter: string, id: string): string {
    const key = `${letter}:${id}`;
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    const name = `${this.#prefix}${letter}${sha256(`${this.mark}:${key}`).slice(0, HASH_CHARACTERS)}`;
    this.#interfaces.set(key, name);
    return name;
  }
}

/** The gateway's address on a network's bridge: the same on every machine, so that a guest that moves keeps it. */
export const gatewayMac = (networkId: string): string => macOf(`gateway:${networkId}`);

/** Where the machine that holds an address that guests share takes answers of a network's guests on other machines. */
export const holderMac = (networkId: string, address: string): string => macOf(`holder:${networkId}:${address}`);

function macOf(text: string): string {
  const hash = sha256(text);
  return `fa:16:${hash.slice(0, 8).replace(/(..)(?=.)/g, '$1:')}`;
}
