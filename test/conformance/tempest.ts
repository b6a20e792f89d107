import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSecrets } from '../../home/secrets.ts';
import { CommandError, run } from '../../runner/host/run.ts';
import { type Cloud, REGION } from '../cloud.ts';

const RUN_TIMEOUT_MS = 400_000;
const IMAGE_BYTES = 64 * 1024;
/** Tempest asks again after this many seconds; by default it asks every second at most. */
const BUILD_INTERVAL_S = 1;

/** How one test of tempest ended, and what it said where it did not pass. */
export interface TempestResult {
  outcome: 'ok' | 'FAILED' | 'SKIPPED';
  detail: string;
}

/** The tests that a list names, one a line. */
export const testsIn = (file: string): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);

/** A test's name without the attributes in brackets that follow it in lists. */
export const plainName = (test: string): string => test.replace(/\[.*$/, '');

/**
 * Runs tests of tempest against a cloud, as its administrator and as tenants that tempest makes.
 * @param list - a file of test names as `tempest run --list-tests` prints them
 * @returns what became of each test, by its name without attributes
 */
export async function runTempest(cloud: Cloud, list: string, workers = 3): Promise<Map<string, TempestResult>> {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-tempest-'));
  // Debian's own Python, whatever else is on the PATH; tempest keeps a list of its workspaces at home.
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder };
  try {
    const config = join(folder, 'tempest.conf');
    writeFileSync(config, await configOf(cloud, folder), { mode: 0o600 });
    const workspace = join(folder, 'workspace');
    await run('/usr/bin/tempest', ['init', workspace], { env, cwd: folder });
    const args = ['run', '--config-file', config, '--load-list', list, '--concurrency', String(workers)];
    const done = await run('/usr/bin/tempest', args, { env, cwd: workspace, timeout_ms: RUN_TIMEOUT_MS }).then(
      ({ stdout, stderr }) => stdout + stderr,
      (error: unknown) => {
        // It exits with 1 when a test failed: that is a result, too.
        if (error instanceof CommandError && error.code === 1) return error.output;
        throw error;
      },
    );
    return resultsIn(done);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const RESULT = /^\{\d+\} (?:setUpClass \(([^)]+)\)|(\S+))(?: \[[\d.]+s\])? \.\.\. (ok|FAILED|SKIPPED)/;

/** Reads tempest's words; a class that could not be set up is there under the class's name. */
function resultsIn(output: string): Map<string, TempestResult> {
  const results = new Map<string, TempestResult>();
  let last: TempestResult | undefined;
  for (const line of output.split('\n')) {
    const found = RESULT.exec(line);
    if (found) {
      last = { outcome: found[3] as TempestResult['outcome'], detail: line };
      results.set(found[1] ?? found[2] ?? '', last);
    } else if (last && last.outcome !== 'ok') last.detail += `\n${line}`;
  }
  return results;
}

/** Makes what tests need that are no administrators, and names it to them. */
async function configOf(cloud: Cloud, folder: string): Promise<string> {
  const { admin, paths, url } = cloud;
  const { network } = await admin.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: { name: 'tempest', shared: true },
  });
  await admin.call('network', 'POST', '/v2.0/subnets', {
    subnet: { name: 'tempest', network_id: network.id, ip_version: 4, cidr: '10.99.0.0/20' },
  });
  const sections: Record<string, Record<string, string | number | boolean>> = {
    DEFAULT: { log_file: join(folder, 'tempest.log') },
    oslo_concurrency: { lock_path: join(folder, 'locks') },
    auth: {
      use_dynamic_credentials: true,
      // There are no routers: all tenants' servers are in one network.
      create_isolated_networks: false,
      admin_username: 'admin',
      admin_password: loadSecrets(paths.secrets).adminPassword,
      admin_project_name: 'admin',
      admin_domain_name: 'Default',
    },
    identity: {
      uri_v3: `${url}/identity/v3`,
      auth_version: 'v3',
      region: REGION,
      v3_endpoint_type: 'public',
    },
    'identity-feature-enabled': { api_v2: false, api_v3: true },
    compute: {
      image_ref: await newImage(cloud, 'tempest-1'),
      image_ref_alt: await newImage(cloud, 'tempest-2'),
      flavor_ref: await newFlavor(cloud, 'tempest-1', 64),
      flavor_ref_alt: await newFlavor(cloud, 'tempest-2', 128),
      fixed_network_name: 'tempest',
      build_interval: BUILD_INTERVAL_S,
      build_timeout: 60,
      min_microversion: '2.1',
      max_microversion: 'latest',
    },
    // By this name tempest knows that the metadata of servers can be changed.
    'compute-feature-enabled': { resize: true, console_output: true, vnc_console: false, xenapi_apis: true },
    image: { disk_formats: 'raw,ami,ari,aki', container_formats: 'bare,ami,ari,aki' },
    network: { project_network_cidr: '10.100.0.0/16', build_interval: BUILD_INTERVAL_S },
    'network-feature-enabled': { ipv6: true, api_extensions: 'all' },
    validation: { run_validation: false },
    service_available: { nova: true, glance: true, neutron: true, cinder: false, swift: false },
  };
  return Object.entries(sections)
    .map(([name, options]) => {
      const lines = Object.entries(options).map(([option, value]) => `${option} = ${value}`);
      return [`[${name}]`, ...lines].join('\n');
    })
    .join('\n');
}

async function newImage({ admin }: Cloud, name: string): Promise<string> {
  const { id } = await admin.call<{ id: string }>('image', 'POST', '/v2/images', {
    name,
    visibility: 'public',
    disk_format: 'raw',
    container_format: 'bare',
  });
  const data = new Uint8Array(IMAGE_BYTES).fill(1);
  await admin.call('image', 'PUT', `/v2/images/${id}/file`, data, { 'content-type': 'application/octet-stream' });
  return id;
}

async function newFlavor({ admin }: Cloud, name: string, ram: number): Promise<string> {
  const flavor = { name, ram, vcpus: 1, disk: 1 };
  return (await admin.call<{ flavor: { id: string } }>('compute', 'POST', '/flavors', { flavor })).flavor.id;
}
