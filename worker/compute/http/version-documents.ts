import { MICROVERSION_MAX, MICROVERSION_MIN, versionText } from './microversion.ts';

interface Version {
  id: string;
  status: string;
  version: string;
  min_version: string;
  updated: string;
  mediaVersion: string;
  path: string;
}

const V20: Version = {
  id: 'v2.0',
  status: 'SUPPORTED',
  version: '',
  min_version: '',
  updated: '2011-01-21T11:33:21Z',
  mediaVersion: '2',
  path: 'v2',
};
const V21: Version = {
  id: 'v2.1',
  status: 'CURRENT',
  version: versionText(MICROVERSION_MAX),
  min_version: versionText(MICROVERSION_MIN),
  updated: '2013-07-23T11:33:21Z',
  mediaVersion: '2.1',
  path: 'v2.1',
};

/** The list of versions at the root of the service. */
export function versionList(root: string) {
  return {
    versions: [V20, V21].map(({ id, status, version, min_version, updated, path }) => ({
      id,
      status,
      version,
      min_version,
      updated,
      links: [{ rel: 'self', href: `${root}/${path}/` }],
    })),
  };
}

/** One version's document: clients read the range of microversions here. */
export function versionDocument(root: string, path: 'v2' | 'v2.1') {
  const { id, status, version, min_version, updated, mediaVersion } = path === 'v2' ? V20 : V21;
  return {
    version: {
      id,
      status,
      version,
      min_version,
      updated,
      links: [
        { rel: 'self', href: `${root}/${path}/` },
        { rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/api-ref/compute/' },
      ],
      'media-types': [
        { base: 'application/json', type: `application/vnd.openstack.compute+json;version=${mediaVersion}` },
      ],
    },
  };
}
