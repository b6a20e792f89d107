import { runner } from '../runner/main.ts';
import { Refusal } from '../shared/refusal.ts';
import { conformance } from '../test/conformance/full.ts';
import { bench } from './bench.ts';
import { check } from './check.ts';
import { cloud } from './cloud.ts';
import { dbSetup } from './db-setup.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';
import { testLanes } from './test-lanes.ts';

const HELP = `Aerostat: a cloud control plane that floats at the edge, tethered to your own machines.

  npm start [-- OPTIONS]       a whole cloud on this machine: database, API, runner, a first guest
  npm run stop [-- --state DIR]  takes down everything that start made; data stays in the state folder
  npm run runner -- join URL TOKEN   makes this machine a runner of a cloud; also: run, install, status, --help
  npm run cloud -- topology    draws the cloud that OS_AUTH_URL names: machines, networks, routers, ports, floating IPs
  npm test                     every test lane; npm run test:unit | test:edge | test:hosts | test:conformance
  npm run conformance:full     tempest's tests, Neutron's own and scenarios with guests, by group
  npm run check                format, lint, types, borders, dead code
  npm run db:setup -- URL      schema and administrator of a database elsewhere (Turso)
  npm run bench:control        figures, one a line: name value unit; bench:growth only those of 100 to 10,000 servers,
                               bench:placement a place among 1,000 machines, bench:network what the
                               filter costs between guests (root), bench:rules how soon rules are in force (root),
                               bench:metering what taking samples, sealing their windows and rating them costs
                               (-- samples, -- rating; -- peers: the same of Gnocchi and CloudKitty)

Each takes --help after '--'.`;

const commands: Record<string, (args: string[]) => Promise<number>> = {
  start,
  stop,
  runner,
  cloud,
  'db-setup': dbSetup,
  test: testLanes,
  check,
  conformance,
  bench,
};

const [name = 'help', ...args] = process.argv.slice(2);
const command = commands[name];
if (!command) {
  console.log(HELP);
  process.exitCode = name === 'help' || name === '--help' ? 0 : 2;
} else {
  try {
    // At once: a start that was interrupted leaves waits behind.
    process.exit(await command(args));
  } catch (error) {
    const misused = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
    if (!(error instanceof Refusal) && !misused) throw error;
    console.error(`aerostat: ${error.message}${misused ? ' (--help lists what there is)' : ''}`);
    process.exitCode = 1;
  }
}
