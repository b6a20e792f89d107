import { expect, it } from 'vitest';
import { unitFile } from './install.ts';

it('keeps guests running when the runner is stopped, and brings the runner back whenever it ends', () => {
  const unit = unitFile('/usr/bin/node', '/opt/aerostat/runner/main.ts', '/var/lib/aerostat/runner');
  expect(unit).toContain(
    'ExecStart="/usr/bin/node" "/opt/aerostat/runner/main.ts" "run" "--state" "/var/lib/aerostat/runner"\n',
  );
  expect(unit).toContain('\nKillMode=process\n');
  expect(unit).toContain('\nRestart=always\n');
  expect(unit).toContain('\nWantedBy=multi-user.target\n');
});

it('takes paths literally', () => {
  const unit = unitFile('/n', '/m', '/a b/100%/$HOME/"x"/\\');
  expect(unit).toContain('"--state" "/a b/100%%/$$HOME/\\"x\\"/\\\\"\n');
  expect(() => unitFile('/n', '/m', '/a\nExecStartPre=/bin/evil')).toThrow(/line break/);
});
