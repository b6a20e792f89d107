import type { Context } from '../../../http/context.ts';

/** Where identity providers send browsers back to: one place in all regions, as they know it by its very text. */
export const redirectUri = ({ baseUrl }: Context): string =>
  `${baseUrl.replace(/\/r\/[^/]+$/, '')}/identity/v3/redirect_uri`;
