import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../../shared/refusal.ts';
import { run } from '../host/run.ts';

const UNIT = 'aerostat-runner.service';
const MAIN = join(import.meta.dirname, '..', 'main.ts');

/** The unit: started again whenever it ends; guests are processes of their own that a stop leaves alone. */
export function unitFile(node: string, main: string, runArguments: readonly string[]): string {
  return `[Unit]
Description=Aerostat runner
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${[node, main, ...runArguments].map(quoted).join(' ')}
Restart=always
RestartSec=2
KillMode=process
TimeoutStopSec=15
OOMScoreAdjust=-500
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
`;
}

/** As systemd reads it: quoted, with its specifiers and variables taken literally. */
function quoted(argument: string): string {
  if (/[\n\r\0]/.test(argument)) throw new Refusal('A path with a line break cannot be put into a unit file.');
  const text = argument.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return `"${text}"`;
}

/** How systemd is reached. */
export interface Systemd {
  /** There while systemd is what runs the machine. */
  running: string;
  systemctl(...args: string[]): Promise<unknown>;
}

const systemd: Systemd = {
  running: '/run/systemd/system',
  systemctl: (...args) => run('systemctl', args),
};

/**
 * Has systemd run the runner of a state folder.
 * @param runArguments - the command line of `run`, as `runArgumentsOf` writes it
 * @returns whether it runs it now; where not, the way to run it has been said
 * @throws Refusal
 */
export async function install(
  runArguments: readonly string[],
  unitDir: string,
  say: (line: string) => void,
  { running, systemctl }: Systemd = systemd,
): Promise<boolean> {
  const path = join(unitDir, UNIT);
  if (!existsSync(running)) {
    say(`systemd does not run this machine. Have its init run: ${process.execPath} ${MAIN} ${runArguments.join(' ')}`);
    return false;
  }
  try {
    writeFileSync(path, unitFile(process.execPath, MAIN, runArguments), { mode: 0o644 });
  } catch (error) {
    throw new Refusal(`${path} cannot be written (${String((error as { code?: unknown }).code)}): run as root.`);
  }
  try {
    await systemctl('daemon-reload');
    await systemctl('enable', '--now', UNIT);
  } catch (error) {
    throw new Refusal(
      `${path} is written, but systemd refused it: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  say(`systemd runs it: systemctl status ${UNIT}; logs: journalctl -u ${UNIT}`);
  return true;
}
