import { run } from './run.ts';

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
