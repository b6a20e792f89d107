import { jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../shared/clock.ts';
import type { Env } from '../env.ts';
import { unauthorized } from '../http/errors.ts';

/** A runner's own HTTP calls carry this bearer; each beat near its end brings a new one. */
export const RUNNER_TOKEN_LIFE_S = 3600;
const AUDIENCE = 'aerostat-runner';

const keyOf = (env: Env) => Uint8Array.from(atob(env.TOKEN_KEY), (char) => char.charCodeAt(0));

/** A bearer for one runner in one session epoch. */
export function signRunnerToken(env: Env, clock: Clock, runner: { id: string; epoch: number }): Promise<string> {
  const nowS = Math.floor(clock.nowMs() / 1000);
  return new SignJWT({ epoch: runner.epoch })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(runner.id)
    .setAudience(AUDIENCE)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + RUNNER_TOKEN_LIFE_S)
    .sign(keyOf(env));
}

/** The runner that a bearer names. @throws ApiError 401 */
export async function verifyRunnerToken(
  env: Env,
  clock: Clock,
  authorization: string | undefined,
): Promise<{ id: string; epoch: number }> {
  const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
  if (!token) throw unauthorized('A runner calls this with its session token.');
  try {
    const { payload } = await jwtVerify(token, keyOf(env), {
      audience: AUDIENCE,
      algorithms: ['HS256'],
      currentDate: new Date(clock.nowMs()),
    });
    return { id: String(payload.sub), epoch: Number(payload.epoch) };
  } catch (cause) {
    throw unauthorized(
      `The runner's session token is not valid: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}
