import { describe, expect, it } from 'vitest';
import { AssertionFailed, ConstraintFailed } from '../../http/commit.ts';
import { ApiError } from '../../http/errors.ts';
import { checkRevision, lostRace, whileRacing } from './races.ts';

const lost = () => new ConstraintFailed('ip_allocations.subnet_id, ip_allocations.host_offset', null);

describe('whileRacing', () => {
  it('tries again until a try wins', async () => {
    let tries = 0;
    const won = await whileRacing(async () => {
      tries += 1;
      if (tries < 5) throw lost();
      return 'won';
    });
    expect([won, tries]).toEqual(['won', 5]);
  });

  it('gives up after so many, and says when to come back', async () => {
    let tries = 0;
    const error = await whileRacing(async () => {
      tries += 1;
      throw lost();
    }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(tries).toBe(20);
  });

  it('does not hide what is no race', async () => {
    let tries = 0;
    const error = await whileRacing(async () => {
      tries += 1;
      throw new ConstraintFailed('runner_claims_not_negative', null);
    }).catch((one: unknown) => one);
    expect([error instanceof ConstraintFailed, tries]).toEqual([true, 1]);
  });
});

describe('lostRace', () => {
  it.each([
    [new AssertionFailed('unchanged'), true],
    [new ConstraintFailed('', null), true],
    [new ConstraintFailed('ports.region, ports.mac_address', null), true],
    [new ConstraintFailed('security_groups.region, security_groups.project_id', null), true],
    [new AssertionFailed('no-ports'), false],
    [new ConstraintFailed('servers.id', null), false],
    [new Error('unchanged'), false],
  ])('%s: %s', (error, is) => expect(lostRace(error)).toBe(is));
});

describe('checkRevision', () => {
  it('passes without an expectation, and where it is met', () => {
    expect(() => checkRevision(undefined, { revision: 3 })).not.toThrow();
    expect(() => checkRevision(3, { revision: 3 })).not.toThrow();
    expect(() => checkRevision(2, { revision: 3 })).toThrow('Constrained to 2, but current revision is 3');
  });
});
