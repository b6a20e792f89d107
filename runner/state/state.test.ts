import { createPublicKey, verify } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { type Identity, readIdentity, writeIdentity } from './identity.ts';
import { newKey, publicKeyOf, signText } from './keys.ts';
import { holderOf, isLocked, lockStateFolder } from './lock.ts';
import { machineIdentity } from './machine-identity.ts';
import { openStateFolder } from './state-folder.ts';

describe('the machine identity', () => {
  const files = (folder: string, machineId?: string) => {
    const path = join(folder, 'machine-id');
    if (machineId !== undefined) writeFileSync(path, `${machineId}\n`);
    return { machineId: [path], generated: join(folder, 'made', 'machine-id') };
  };

  it('is the same for the same machine and folder, by whatever way it is reached', () => {
    const folder = temporaryFolder();
    const state = join(folder, 'state');
    mkdirSync(state);
    symlinkSync(state, join(folder, 'link'));
    const here = files(folder, 'abc');
    expect(machineIdentity(join(folder, 'link'), here)).toBe(machineIdentity(state, here));
    expect(machineIdentity(state, here)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('differs for another folder and for another machine', () => {
    const folder = temporaryFolder();
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    mkdirSync(a);
    mkdirSync(b);
    const here = files(folder, 'abc');
    const there = files(temporaryFolder(), 'xyz');
    expect(new Set([machineIdentity(a, here), machineIdentity(b, here), machineIdentity(a, there)]).size).toBe(3);
  });

  it('is made where the machine has none, outside of the state folder, and stays', () => {
    const folder = temporaryFolder();
    const state = temporaryFolder();
    for (const has of [undefined, '', 'uninitialized']) {
      const here = files(folder, has);
      expect(machineIdentity(state, here)).toBe(machineIdentity(state, here));
    }
    expect(existsSync(join(folder, 'made', 'machine-id'))).toBe(true);
  });
});

describe('the lock', () => {
  it('is taken once, and free again when let go', () => {
    const path = join(temporaryFolder(), 'lock');
    expect(isLocked(path)).toBe(false);
    const unlock = lockStateFolder(path);
    expect(isLocked(path)).toBe(true);
    expect(holderOf(path)).toBe(process.pid);
    expect(() => lockStateFolder(path)).toThrow(/in use by another runner/);
    unlock();
    expect(isLocked(path)).toBe(false);
    lockStateFolder(path)();
  });

  it('says what to do with a lock file that is damaged', () => {
    const path = join(temporaryFolder(), 'lock');
    writeFileSync(path, 'x'.repeat(5000));
    expect(() => lockStateFolder(path)).toThrow(/remove that file if it is damaged/);
  });
});

describe('identity and key', () => {
  const who: Identity = {
    runner_id: 'r',
    name: 'n',
    region: 'x',
    edge_url: 'https://e',
    hypervisor: 'simulated',
    machine_id: 'm',
    mark: 'aex',
    private_key: newKey(),
  };

  it('is written whole, for its owner only', () => {
    const folder = openStateFolder(join(temporaryFolder(), 'state'));
    expect(readIdentity(folder)).toBeNull();
    writeIdentity(folder, who);
    expect(readIdentity(folder)).toEqual(who);
    expect(statSync(join(folder, 'identity.json')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(folder, 'identity.json'), 'utf8').endsWith('}\n')).toBe(true);
  });

  it('signs what the public key verifies', () => {
    const x = publicKeyOf(who.private_key);
    expect(x).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const signature = Buffer.from(signText(who.private_key, 'text'), 'base64url');
    expect(verify(null, Buffer.from('text'), key, signature)).toBe(true);
    expect(verify(null, Buffer.from('texT'), key, signature)).toBe(false);
  });

  it('says where a state folder cannot be', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(() => openStateFolder(join(folder, 'file', 'state'))).toThrow(/cannot be used \(ENOTDIR\)/);
  });
});
