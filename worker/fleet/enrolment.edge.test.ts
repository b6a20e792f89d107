import { describe, expect, it } from 'vitest';
import { adminToken, call, newTenant } from '../../test/edge-client.ts';
import { enrol, joinToken, newKeys } from '../../test/edge-runner.ts';

const message = async (response: Response) => ((await response.json()) as { error: { message: string } }).error.message;

describe('join tokens', () => {
  it('are shown once and listed without their secret', async () => {
    const token = await adminToken();
    const made = await call('POST', '/aerostat/v1/join-tokens', { token, body: { join_token: { zone: 'az-7' } } });
    expect(made.status).toBe(201);
    const { join_token } = (await made.json()) as { join_token: { id: string; token: string } };
    const listed = await (await call('GET', '/aerostat/v1/join-tokens', { token })).text();
    expect(listed).toContain(join_token.id);
    expect(listed).not.toContain(join_token.token);
  });

  it('let one machine join, once', async () => {
    const token = await joinToken({ zone: 'az-1' });
    const first = await enrol({ token });
    expect(first.response.status).toBe(201);
    expect(await first.response.json()).toMatchObject({ runner: { region: 'RegionOne', zone: 'az-1' } });
    const second = await enrol({ token });
    expect(second.response.status).toBe(401);
    expect(await message(second.response)).toContain('was used already');
  });

  it('let the same machine ask again when its answer was lost', async () => {
    const [token, keys, name] = [await joinToken(), await newKeys(), `r-${crypto.randomUUID()}`];
    const first = await enrol({ token, keys, name });
    const again = await enrol({ token, keys, name });
    expect(again.runner.id).toBe(first.runner.id);
  });

  it('admit one of two machines that race for them', async () => {
    const token = await joinToken();
    const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await enrol({ token })).response.status));
    expect(statuses.sort()).toEqual([201, 401, 401, 401]);
  });

  it('are refused when unknown or taken back', async () => {
    expect((await enrol({ token: 'aj1.nothing' })).response.status).toBe(401);
    const admin = await adminToken();
    const made = await call('POST', '/aerostat/v1/join-tokens', { token: admin, body: { join_token: {} } });
    const { join_token } = (await made.json()) as { join_token: { id: string; token: string } };
    expect((await call('DELETE', `/aerostat/v1/join-tokens/${join_token.id}`, { token: admin })).status).toBe(204);
    expect((await enrol({ token: join_token.token })).response.status).toBe(401);
    expect((await call('DELETE', `/aerostat/v1/join-tokens/${join_token.id}`, { token: admin })).status).toBe(404);
  });

  it('expire', async () => {
    // Every try before its end fails for its name, so none uses it up.
    const name = `r-${crypto.randomUUID()}`;
    await enrol({ name });
    const token = await joinToken({ expires_in_s: 1 });
    const attempt = async () => message((await enrol({ token, name })).response);
    await expect.poll(attempt, { interval: 200 }).toContain('expired');
  });
});

describe('strangers', () => {
  it('open no link and no poll', async () => {
    const path = `/aerostat/v1/runners/${crypto.randomUUID()}`;
    expect((await call('GET', `${path}/link`, { headers: { upgrade: 'websocket' } })).status).toBe(404);
    expect((await call('POST', `${path}/poll`, { body: { session: null, frames: [] } })).status).toBe(404);
    expect((await call('GET', '/aerostat/v1/runners/x/link', { headers: { upgrade: 'websocket' } })).status).toBe(400);
  });
});

describe('runners', () => {
  it('keep their names apart', async () => {
    const name = `r-${crypto.randomUUID()}`;
    await enrol({ name });
    const second = await enrol({ name });
    expect(second.response.status).toBe(409);
    expect(await message(second.response)).toContain('--name');
  });

  it('refuse what is not a key, a name or a capacity', async () => {
    for (const wrong of [
      { public_key: 'short' },
      { name: '../x' },
      { capacity: { vcpus: -1, memory_mib: 1, disk_gib: 1 } },
    ]) {
      const good = {
        token: await joinToken(),
        name: 'r',
        public_key: 'A'.repeat(43),
        machine_id: 'm',
        capacity: { vcpus: 1, memory_mib: 1, disk_gib: 1 },
        hypervisor: 'h',
        version: 'v',
      };
      expect((await call('POST', '/aerostat/v1/runners/enrol', { body: { ...good, ...wrong } })).status).toBe(400);
    }
  });

  it('are listed, shown by name, drained, disabled and removed by an administrator', async () => {
    const token = await adminToken();
    const { runner } = await enrol();
    const path = `/aerostat/v1/runners/${runner.name}`;
    const shown = (await (await call('GET', path, { token })).json()) as { runner: Record<string, unknown> };
    expect(shown.runner).toMatchObject({
      id: runner.id,
      state: 'enabled',
      status: 'down',
      capacity: { vcpus: 8, memory_mib: 16_384, disk_gib: 100 },
    });
    for (const state of ['draining', 'disabled', 'enabled']) {
      const patched = await call('PATCH', path, { token, body: { runner: { state, reason: 'because' } } });
      expect(await patched.json()).toMatchObject({ runner: { state, state_reason: 'because' } });
    }
    expect((await call('PATCH', path, { token, body: { runner: { state: 'gone' } } })).status).toBe(400);
    expect((await call('DELETE', path, { token })).status).toBe(204);
    expect((await call('GET', path, { token })).status).toBe(404);
  });

  it('are nobody else’s business', async () => {
    const { runner } = await enrol();
    const tokens = {
      none: undefined,
      reader: (await newTenant('reader')).token,
      member: (await newTenant('member')).token,
      manager: (await newTenant('manager')).token,
    };
    const calls: [string, string, unknown?][] = [
      ['GET', '/aerostat/v1/runners'],
      ['GET', `/aerostat/v1/runners/${runner.id}`],
      ['PATCH', `/aerostat/v1/runners/${runner.id}`, { runner: { state: 'disabled' } }],
      ['POST', `/aerostat/v1/runners/${runner.id}/rotate`],
      ['DELETE', `/aerostat/v1/runners/${runner.id}`],
      ['GET', '/aerostat/v1/join-tokens'],
      ['POST', '/aerostat/v1/join-tokens', { join_token: {} }],
      ['DELETE', '/aerostat/v1/join-tokens/x'],
    ];
    for (const [method, path, body] of calls) {
      for (const [who, token] of Object.entries(tokens)) {
        const response = await call(method, path, { ...(token ? { token } : {}), body });
        expect([method, path, who, response.status]).toEqual([method, path, who, token ? 403 : 401]);
      }
    }
  });
});
