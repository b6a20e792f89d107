import { spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyModules, copyStaticBusybox } from '../guest/initrd.ts';
import { KERNEL_ARGUMENTS, newestKernel, unpackKernel } from '../guest/kernel.ts';
import { tool } from '../guest/tool.ts';
import { eventually, temporaryFolder } from './namespaces.ts';

const MEMORY_MIB = 1024;
const RUN_LIMIT_MS = 220_000;
const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';

/** The files of this machine as they are; what the script writes is gone with it. */
const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /host /over
/bin/busybox --install -s /bin; export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </modules/order
mount -t virtiofs -o ro host /host; mount -t tmpfs over /over; mkdir /over/up /over/work /over/root
mount -t overlay -o lowerdir=/host,upperdir=/over/up,workdir=/over/work over /over/root
for folder in proc sys dev; do mount --rbind "/$folder" "/over/root/$folder"; done
mount -t tmpfs run /over/root/run; cp /script /over/root/run/script
chroot /over/root /bin/bash /run/script 2>&1; echo "@@ended $?@@"
echo o >/proc/sysrq-trigger; sleep 60
`;

/**
 * Runs a script of bash under Debian's own kernel, as root, with the files of this machine. For what this machine's kernel
 * may lack. It is emulated: a command of Node's takes seconds.
 * @param modules - of the kernel, beside what it takes to run at all
 * @returns what the script said
 * @throws when it fails
 */
export async function inDebianKernel(script: string, modules: readonly string[]): Promise<string> {
  const folder = temporaryFolder();
  try {
    return await boot(folder.path, script, modules);
  } finally {
    folder.remove();
  }
}

async function boot(folder: string, script: string, modules: readonly string[]): Promise<string> {
  const tree = await unpackKernel(await newestKernel(), folder);
  const root = join(folder, 'root');
  await mkdir(join(root, 'bin'), { recursive: true });
  await copyStaticBusybox(join(root, 'bin', 'busybox'));
  await copyModules(['virtio_pci', 'virtiofs', 'overlay', ...modules], tree.modules, join(root, 'modules'));
  await writeFile(join(root, 'init'), INIT);
  await chmod(join(root, 'init'), 0o755);
  await writeFile(join(root, 'script'), script);
  const files = await tool('find', ['.', '-mindepth', '1'], { cwd: root });
  const initrd = join(folder, 'initrd');
  await tool('cpio', ['-o', '-H', 'newc', '--quiet', '-R', '0:0', '-O', initrd], { cwd: root, input: files });
  const socket = join(folder, 'fs');
  const options = ['source=/', 'cache=always', 'sandbox=chroot'].flatMap((option) => ['-o', option]);
  const server = spawn(VIRTIOFSD, [`--socket-path=${socket}`, ...options], { stdio: 'ignore' });
  try {
    await eventually('virtiofsd', () =>
      tool('test', ['-S', socket]).then(
        () => true,
        () => false,
      ),
    );
    return await run(tree.vmlinuz, initrd, socket);
  } finally {
    server.kill('SIGKILL');
  }
}

async function run(kernel: string, initrd: string, socket: string): Promise<string> {
  const machine = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'q35', '-accel', 'tcg', '-smp', '2', '-m', String(MEMORY_MIB)],
      ...['-object', `memory-backend-memfd,id=memory,size=${MEMORY_MIB}M,share=on`, '-numa', 'node,memdev=memory'],
      ...['-chardev', `socket,id=fs,path=${socket}`, '-device', 'vhost-user-fs-pci,chardev=fs,tag=host'],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
      ...['-kernel', kernel, '-initrd', initrd, '-append', KERNEL_ARGUMENTS],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  machine.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk.replaceAll('\r', '');
  });
  const timer = setTimeout(() => machine.kill('SIGKILL'), RUN_LIMIT_MS);
  await new Promise((resolve) => machine.once('exit', resolve));
  clearTimeout(timer);
  if (!text.includes('@@ended 0@@')) throw new Error(`it failed:\n${text.slice(-4000)}`);
  return text;
}
