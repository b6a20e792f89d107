const REDIRECTS_MAX = 20;

/** What a page answered, and where it was in the end. */
export interface Page {
  url: string;
  status: number;
  headers: Headers;
  html: string;
}

/** As much of a browser as a log-in needs: it keeps cookies, follows redirects, and sends forms. */
export class Browser {
  readonly #cookies: { name: string; value: string; host: string; path: string }[] = [];

  /** Opens a page. It stops before a URL that begins with `until`, and shows that as a page of its own. */
  async open(url: string, init: RequestInit = {}, until?: string): Promise<Page> {
    let at = url;
    let next = init;
    for (let hops = 0; hops < REDIRECTS_MAX; hops += 1) {
      if (until && at.startsWith(until)) return { url: at, status: 0, headers: new Headers(), html: '' };
      const response = await fetch(at, {
        ...next,
        redirect: 'manual',
        headers: { ...next.headers, cookie: this.cookiesFor(at) },
      });
      this.#keep(at, response.headers.getSetCookie());
      const location = response.headers.get('location');
      if (!location)
        return { url: at, status: response.status, headers: response.headers, html: await response.text() };
      await response.body?.cancel();
      at = new URL(location, at).toString();
      next = {};
    }
    throw new Error(`more than ${REDIRECTS_MAX} redirects from ${url}`);
  }

  /** Sends the form of a page, with some of its fields filled in. */
  send(page: Page, fields: Record<string, string>, until?: string): Promise<Page> {
    const action = /<form[^>]* action="([^"]*)"/.exec(page.html)?.[1];
    if (action === undefined) throw new Error(`${page.url} has no form: ${page.html.slice(0, 2000)}`);
    const hidden = [...page.html.matchAll(/<input type="hidden" name="([^"]*)"(?: id="[^"]*")? value="([^"]*)"/g)];
    const body = new URLSearchParams({
      ...Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value])),
      ...fields,
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.open(
      new URL(action.replaceAll('&amp;', '&'), page.url).toString(),
      { method: 'POST', body: body.toString(), headers },
      until,
    );
  }

  cookiesFor(url: string): string {
    const { host, pathname } = new URL(url);
    const sent = this.#cookies.filter((one) => one.host === host && pathname.startsWith(one.path));
    return sent.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  #keep(url: string, setCookies: string[]): void {
    const { host } = new URL(url);
    for (const text of setCookies) {
      const [pair = '', ...attributes] = text.split(/; */);
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      const path = attributes.find((one) => /^path=/i.test(one))?.slice('path='.length) ?? '/';
      const known = this.#cookies.findIndex((one) => one.name === name && one.host === host && one.path === path);
      if (known >= 0) this.#cookies.splice(known, 1);
      if (value !== '') this.#cookies.push({ name, value, host, path });
    }
  }
}
