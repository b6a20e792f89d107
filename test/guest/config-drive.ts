import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tool } from './tool.ts';

/** Writes a config drive below `folder` with `documents` by their path on it; answers the image's path. */
export async function configDrive(folder: string, documents: Record<string, string>): Promise<string> {
  const tree = join(folder, 'config');
  for (const [path, content] of Object.entries(documents)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  const image = join(folder, 'config.iso');
  await tool('genisoimage', ['-quiet', '-J', '-R', '-V', 'config-2', '-o', image, tree]);
  return image;
}
