import { writeAtomically } from '../runner/state/write-atomically.ts';
import type { StatePaths } from './paths.ts';

/** Writes what the openstack client reads: `openrc` to source, `clouds.yaml` with a cloud named aerostat. */
export function writeCredentials(
  paths: StatePaths,
  cloud: { authUrl: string; password: string; region: string },
): void {
  const { authUrl, password, region } = cloud;
  const variables = {
    OS_AUTH_URL: authUrl,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: 'admin',
    OS_PASSWORD: password,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: region,
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  writeAtomically(paths.openrc, `${lines.join('\n')}\n`);
  writeAtomically(
    paths.clouds,
    `clouds:
  aerostat:
    auth:
      auth_url: ${JSON.stringify(authUrl)}
      username: admin
      password: ${JSON.stringify(password)}
      project_name: admin
      user_domain_name: Default
      project_domain_name: Default
    region_name: ${JSON.stringify(region)}
    identity_api_version: 3
`,
  );
}

const shellQuote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
