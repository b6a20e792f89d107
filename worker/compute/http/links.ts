/** Where a request found the API; every link of its answer starts there. */
export interface Links {
  /** `http://host/compute/v2.1`, with the project where the request's path had it. */
  self: string;
  /** The same without the version. */
  bookmark: string;
}

export interface Link {
  rel: 'self' | 'bookmark' | 'next';
  href: string;
}

/** The pair of links that Nova gives each object. */
export function linksOf(links: Links, collection: string, id: string): Link[] {
  return [
    { rel: 'self', href: `${links.self}/${collection}/${id}` },
    { rel: 'bookmark', href: `${links.bookmark}/${collection}/${id}` },
  ];
}

/** The one link that objects inside another carry. */
export function bookmarkOf(links: Links, collection: string, id: string): Link[] {
  return [{ rel: 'bookmark', href: `${links.bookmark}/${collection}/${id}` }];
}
