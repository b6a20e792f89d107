import { run } from '../runner/host/run.ts';
import type { Cloud } from './cloud.ts';
import { REGION } from './cloud.ts';

const CLI_TIMEOUT_MS = 300_000;

/** The real `openstack` client, as one user of a cloud. */
export function openstackCli(cloud: Cloud, who: { user: string; password: string; project: string }) {
  const env = {
    // Debian's own Python, whatever else is on the PATH.
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: cloud.paths.stateDir,
    OS_AUTH_URL: `${cloud.url}/identity/v3`,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: who.user,
    OS_PASSWORD: who.password,
    OS_PROJECT_NAME: who.project,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: REGION,
  };
  /** Runs a command and gives its output. @throws CommandError with what the client said */
  const text = async (...args: string[]) =>
    (await run('/usr/bin/openstack', args, { env, timeout_ms: CLI_TIMEOUT_MS })).stdout.trim();
  return {
    text,
    /** Runs a command with `-f json`. */
    json: async <T = Record<string, unknown>>(...args: string[]) => JSON.parse(await text(...args, '-f', 'json')) as T,
  };
}
