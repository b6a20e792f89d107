import { expect, it } from 'vitest';
import { requireTools } from './tools.ts';

it('names what is missing and how to get it, once a package', async () => {
  await expect(requireTools('/nowhere')).rejects.toThrow(/^ip, bridge, nft, .* apt-get install iproute2 nftables /);
  await requireTools('/nowhere:/usr/sbin:/usr/bin:/sbin:/bin');
});
