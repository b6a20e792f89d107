import { z } from 'zod';
import { badRequest } from '../../http/errors.ts';

/** Each password of a history costs a hash when a new one is checked. */
const HISTORY_MAX = 24;

const count = z.number().int().min(1);
/** The options of Keystone's `[security_compliance]`, by its names and with its defaults: off. */
const schema = z.strictObject({
  /** Wrong passwords after which a user is locked out, and for how many seconds. */
  lockout_failure_attempts: count.nullable().default(null),
  lockout_duration: count.default(1800),
  disable_user_account_days_inactive: count.nullable().default(null),
  password_expires_days: count.nullable().default(null),
  /** How many passwords in a row, the new one among them, must differ; 0 and 1: none. */
  unique_last_password_count: z.number().int().min(0).max(HISTORY_MAX).default(0),
  minimum_password_age: z.number().int().min(0).default(0),
  password_regex: z.string().nullable().default(null),
  password_regex_description: z.string().nullable().default(null),
  change_password_upon_first_use: z.boolean().default(false),
});
export type SecurityCompliance = z.infer<typeof schema>;

let parsed: { text: string; options: SecurityCompliance } | undefined;

/**
 * The rules for passwords and users of this cloud.
 * @param env - `SECURITY_COMPLIANCE` is a JSON object of options
 * @throws Error for an option that there is not
 */
export function complianceOf(env: { SECURITY_COMPLIANCE?: string }): SecurityCompliance {
  const text = env.SECURITY_COMPLIANCE || '{}';
  if (parsed?.text !== text) parsed = { text, options: parseCompliance(text) };
  return parsed.options;
}

/** @throws Error for an option that there is not */
export function parseCompliance(text: string): SecurityCompliance {
  const result = schema.safeParse(JSON.parse(text));
  if (!result.success) throw new Error(`SECURITY_COMPLIANCE: ${z.prettifyError(result.error)}`);
  if (result.data.password_regex !== null) new RegExp(result.data.password_regex);
  return result.data;
}

/** @throws ApiError 400 for a password that the rules do not allow */
export function requireGoodPassword(
  { password_regex, password_regex_description }: SecurityCompliance,
  password: string,
): void {
  if (password_regex === null || new RegExp(`^(?:${password_regex})`).test(password)) return;
  throw badRequest(`The password does not match the requirements: ${password_regex_description ?? password_regex}.`);
}

const DAY_MS = 24 * 3600 * 1000;

/** When a password that is set now stops being taken; null: never. @param byAdmin - set for the user, who is to change it */
export function expiryOf(
  rules: SecurityCompliance,
  { options, nowMs, byAdmin }: { options: Record<string, unknown>; nowMs: number; byAdmin: boolean },
): number | null {
  const changes = rules.change_password_upon_first_use && options.ignore_change_password_upon_first_use !== true;
  if (byAdmin && changes) return nowMs;
  if (rules.password_expires_days === null || options.ignore_password_expiry === true) return null;
  return nowMs + rules.password_expires_days * DAY_MS;
}

/** @throws ApiError 400 for a password that was changed too short a time ago */
export function requireOldEnough(rules: SecurityCompliance, changedAtMs: number | null, nowMs: number): void {
  const allowedAtMs = (changedAtMs ?? 0) + rules.minimum_password_age * DAY_MS;
  if (rules.minimum_password_age === 0 || nowMs >= allowedAtMs) return;
  const days = Math.ceil((allowedAtMs - nowMs) / DAY_MS);
  throw badRequest(
    `Cannot change password before minimum age ${rules.minimum_password_age} days is met. ` +
      `Try again in ${days} days.`,
  );
}

/** What of a user decides whether the user may log in now. */
export interface Standing {
  options: Record<string, unknown>;
  failedLogins: number;
  failedAtMs: number | null;
  activeAtMs: number | null;
  createdAtMs: number;
  passwordExpiresAtMs: number | null;
}

/** Whether there were too many wrong passwords of late. */
export function isLockedOut(rules: SecurityCompliance, user: Standing, nowMs: number): boolean {
  const attempts = rules.lockout_failure_attempts;
  if (attempts === null || user.options.ignore_lockout_failure_attempts === true) return false;
  return user.failedLogins >= attempts && nowMs < (user.failedAtMs ?? 0) + rules.lockout_duration * 1000;
}

/** Whether the user has not logged in for too long. */
export function isInactive(rules: SecurityCompliance, user: Standing, nowMs: number): boolean {
  const days = rules.disable_user_account_days_inactive;
  if (days === null || user.options.ignore_user_inactivity === true) return false;
  return nowMs > (user.activeAtMs ?? user.createdAtMs) + days * DAY_MS;
}

export const isExpired = (user: Standing, nowMs: number): boolean =>
  user.passwordExpiresAtMs !== null &&
  user.options.ignore_password_expiry !== true &&
  nowMs >= user.passwordExpiresAtMs;

/** The day of a moment: activity is kept no more exactly, so that a log-in seldom writes. */
export const dayOf = (ms: number): number => ms - (ms % DAY_MS);
