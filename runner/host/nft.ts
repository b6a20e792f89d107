import { CommandError, run } from './run.ts';

/** A first load of thousands of ports takes the kernel seconds. */
const NFT_TIMEOUT_MS = 120_000;

/** Runs an nft script as one transaction: all of it, or nothing. @throws CommandError with the line that was refused */
export async function applyNft(script: string): Promise<void> {
  await run('nft', ['-f', '-'], { input: script, timeout_ms: NFT_TIMEOUT_MS });
}

/** Every table of this network namespace, as `family name`. */
export async function listTables(): Promise<string[]> {
  const { stdout } = await run('nft', ['list', 'tables']);
  return stdout
    .split('\n')
    .map((line) => line.replace(/^table /, '').trim())
    .filter((line) => line !== '');
}

/** The elements of a set of the inet family, as nft writes them in JSON; protocols by their numbers. */
export async function listSet(table: string, name: string): Promise<unknown[]> {
  const { stdout } = await run('nft', ['-j', '-p', 'list', 'set', 'inet', table, name], { timeout_ms: NFT_TIMEOUT_MS });
  const { nftables } = JSON.parse(stdout) as { nftables: { set?: { elem?: unknown[] } }[] };
  return nftables.flatMap((one) => one.set?.elem ?? []);
}

/** A table of the inet family as it stands: its counters, and the names of its sets, maps and chains. */
export interface TableState {
  counters: { name: string; packets: number; bytes: number }[];
  sets: { kind: 'set' | 'map'; name: string }[];
  chains: string[];
}

interface TableJson {
  nftables: { counter?: TableState['counters'][number]; set?: Named; map?: Named; chain?: Named }[];
}
type Named = { name: string };

/** What is in a table of the inet family, but for elements; null where there is no such table. */
export async function readTable(table: string): Promise<TableState | null> {
  const listed = await run('nft', ['-j', '-t', 'list', 'table', 'inet', table], { timeout_ms: NFT_TIMEOUT_MS }).catch(
    noneIfMissing,
  );
  if (!listed) return null;
  const { nftables } = JSON.parse(listed.stdout) as TableJson;
  return {
    counters: nftables.flatMap((one) => one.counter ?? []),
    sets: nftables.flatMap(({ set, map }) => [
      ...(set ? [{ kind: 'set' as const, name: set.name }] : []),
      ...(map ? [{ kind: 'map' as const, name: map.name }] : []),
    ]),
    chains: nftables.flatMap((one) => one.chain?.name ?? []),
  };
}

/** The counters of a table of the inet family; none where there is no such table. */
export async function listCounters(table: string): Promise<TableState['counters']> {
  const listed = await run('nft', ['-j', 'list', 'counters', 'table', 'inet', table], {
    timeout_ms: NFT_TIMEOUT_MS,
  }).catch(noneIfMissing);
  if (!listed) return [];
  return (JSON.parse(listed.stdout) as TableJson).nftables.flatMap((one) => one.counter ?? []);
}

function noneIfMissing(error: unknown): null {
  if (error instanceof CommandError && /No such file or directory/.test(error.output)) return null;
  throw error;
}
