/** Newest first. 2.14 and 2.16 need a cache, 2.17 shows where data lies. */
const VERSIONS = [
  '2.15',
  '2.13',
  '2.12',
  '2.11',
  '2.10',
  '2.9',
  '2.8',
  '2.7',
  '2.6',
  '2.5',
  '2.4',
  '2.3',
  '2.2',
  '2.1',
  '2.0',
];

/** The versions document. @param baseUrl - what clients call us, without a slash at the end */
export function versionsDocument(baseUrl: string) {
  return {
    versions: VERSIONS.map((version, at) => ({
      id: `v${version}`,
      status: at === 0 ? 'CURRENT' : 'SUPPORTED',
      links: [{ rel: 'self', href: `${baseUrl}/image/v2/` }],
    })),
  };
}
