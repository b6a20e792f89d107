import { expect, test } from 'vitest';
import { choicePage, tokenPage } from './pages.ts';

const NASTY = `"><script>alert('x')</script>&`;

test('the token goes to the dashboard in the form that Horizon expects', () => {
  const html = tokenPage({ origin: 'https://d.example.org/auth/websso/?a=1&b=2', token: 'abc', nonce: 'n' });
  expect(html).toContain('action="https://d.example.org/auth/websso/?a=1&amp;b=2" method="post"');
  expect(html).toContain('<input type="hidden" name="token" id="token" value="abc">');
  expect(html).toContain('<script nonce="n">');
});

test('nothing that is put into a page becomes a part of it', () => {
  const pages = [tokenPage({ origin: NASTY, token: NASTY, nonce: NASTY }), choicePage([{ text: NASTY, href: NASTY }])];
  for (const html of pages) {
    expect(html).not.toContain("alert('x')</script>");
    expect(html).toContain('&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;');
  }
});
