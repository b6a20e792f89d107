import { describe, expect, it } from 'vitest';
import { ApiError } from '../../http/errors.ts';
import { MICROVERSION_MAX, negotiate } from './microversion.ts';

const ask = (standard?: string, legacy?: string) => negotiate({ standard, legacy });
function refusal(standard?: string, legacy?: string): ApiError {
  try {
    ask(standard, legacy);
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  throw new Error('it was taken');
}

describe('negotiate', () => {
  it.each([
    [undefined, undefined, 1],
    ['compute 2.37', undefined, 37],
    ['identity 3.1, Compute  2.5', undefined, 5],
    [undefined, '2.19', 19],
    ['compute 2.10', '2.20', 10],
    ['identity 3.1', '2.20', 20],
    ['compute latest', undefined, MICROVERSION_MAX],
    ['image 2.5', undefined, 1],
  ])('reads %j and %j', (standard, legacy, version) => {
    expect(ask(standard, legacy)).toBe(version);
  });

  it.each(['compute 2', 'compute two', 'compute 2.01', 'compute 2.1.1', 'compute -2.1'])(
    'refuses %j as no version',
    (text) => {
      expect(refusal(text).status).toBe(400);
      expect(refusal(text).message).toMatch(/is of invalid format. Must be of format MajorNum.MinorNum./);
    },
  );

  it.each(['2.0', '2.95', '2.999', '1.1', '3.5'])('refuses %s as not served, and repeats it', (version) => {
    const error = refusal(`compute ${version}`);
    expect(error.status).toBe(406);
    expect(error.message).toBe(
      `Version ${version} is not supported by the API. Minimum is 2.1 and maximum is 2.${MICROVERSION_MAX}.`,
    );
    expect(error.headers).toMatchObject({ 'openstack-api-version': `compute ${version}` });
  });
});
