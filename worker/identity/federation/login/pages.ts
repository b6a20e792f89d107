const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);

const page = (title: string, body: string): string => `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${escaped(title)}</title>
  </head>
  <body>
${body}
  </body>
</html>
`;

/** Hands a token to a dashboard by a form that sends itself, with the names that Horizon expects. */
export function tokenPage({ origin, token, nonce }: { origin: string; token: string; nonce: string }): string {
  return page(
    'Logging in',
    `    <form id="sso" name="sso" action="${escaped(origin)}" method="post">
      <p>Please wait...</p>
      <input type="hidden" name="token" id="token" value="${escaped(token)}">
      <noscript><input type="submit" value="Continue"></noscript>
    </form>
    <script nonce="${escaped(nonce)}">document.getElementById('sso').submit();</script>`,
  );
}

/** Asks where to log in. */
export function choicePage(links: readonly { text: string; href: string }[]): string {
  const items = links.map(({ text, href }) => `      <li><a href="${escaped(href)}">${escaped(text)}</a></li>`);
  return page('Log in with', `    <h1>Log in with</h1>\n    <ul>\n${items.join('\n')}\n    </ul>`);
}
