import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../runner/host/run.ts';

/** Gnocchi and CloudKitty as Debian ships them, what serves and stores for them. */
const PACKAGES = [
  'gnocchi-api',
  'gnocchi-metricd',
  'cloudkitty-api',
  'cloudkitty-processor',
  'uwsgi-plugin-python3',
  'python3-psycopg2',
  'postgresql-15',
];
const FOLDER = join(import.meta.dirname, '../../../.cache/peers');
const DOWNLOAD_MS = 600_000;
const UNPACK_MS = 60_000;

/** Peers' programs, wherever they lie: none of them is installed. */
export interface Unpacked {
  /** The path of a file of a package. */
  file(path: string): string;
  /** What their programs find each other by. */
  env: Record<string, string>;
}

/** Unpacks the packages that are not installed into a folder, so that no daemon starts and no package of the machine changes. */
export async function unpackPeers(): Promise<Unpacked> {
  const [root, archives] = [join(FOLDER, 'root'), join(FOLDER, 'archives')];
  for (const folder of [root, archives]) mkdirSync(folder, { recursive: true });
  const { stdout } = await run('apt-get', ['install', '--simulate', '--no-install-recommends', ...PACKAGES]);
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  const there = new Set(readdirSync(archives).map((name) => name.split('_')[0]));
  const wanted = missing.filter((name) => !there.has(name));
  if (wanted.length > 0) await run('apt-get', ['download', ...wanted], { cwd: archives, timeout_ms: DOWNLOAD_MS });
  for (const name of readdirSync(archives))
    if (wanted.includes(name.split('_')[0] ?? ''))
      await run('dpkg', ['-x', join(archives, name), root], { timeout_ms: UNPACK_MS });
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((folder) => join(root, folder));
  return {
    file: (path) => join(root, path),
    env: {
      PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
      LD_LIBRARY_PATH: libraries.join(':'),
      PATH: `${join(root, 'usr/bin')}:${process.env.PATH}`,
    },
  };
}
