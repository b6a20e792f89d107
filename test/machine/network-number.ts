import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The number that a machine gave a network, by which its marks and routing tables are counted. */
export function networkNumber(stateDir: string, networkId: string): number {
  const file = join(stateDir, 'inventory', 'network', `${networkId}.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { number: number }).number;
}
