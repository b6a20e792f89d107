import { run } from './run.ts';

/** Tells everybody on a link, by unsolicited ARP, that addresses are here now. @throws CommandError */
export async function announceAddresses(link: string, addresses: readonly string[]): Promise<void> {
  await Promise.all(
    addresses.map((address) =>
      run('arping', ['-q', '-U', '-c', '1', '-w', '0.1', '-i', link, '-S', address, address]).catch(() => {}),
    ),
  );
}
