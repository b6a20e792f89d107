import { type ApiError, forbidden } from '../../http/errors.ts';

/** 403 for what no policy but the kind of token, or the state of things, forbids: with Keystone's words, or without any. */
export const forbiddenAction = (action?: string): ApiError =>
  forbidden(`You are not authorized to perform the requested action${action === undefined ? '' : `: ${action}`}.`);
