/** The version of the API that is spoken, as Keystone names it. */
const MEDIA_TYPE = 'application/vnd.openstack.identity-v3+json';

/** The one version there is. */
export function versionDocument(baseUrl: string) {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${baseUrl}/identity/v3/` }],
    'media-types': [{ base: 'application/json', type: MEDIA_TYPE }],
  };
}
