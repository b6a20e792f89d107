import { describe, expect, it } from 'vitest';
import { planForward } from './plan-forward.ts';

const PORT = crypto.randomUUID();
const base = { internal_port_id: PORT, protocol: 'tcp' } as const;

describe('a forwarded port', () => {
  it('is one port, or ranges of the same size, or a range that leads to one port', () => {
    const one = planForward(null, { ...base, internal_port: 80, external_port: 8080 });
    expect(one).toMatchObject({ externalFirst: 8080, externalLast: 8080, internalFirst: 80, internalLast: 80 });
    const many = planForward(null, { ...base, internal_port_range: [80, 89], external_port_range: [8080, 8089] });
    expect(many).toMatchObject({ externalFirst: 8080, externalLast: 8089, internalFirst: 80, internalLast: 89 });
    const toOne = planForward(null, { ...base, internal_port: 80, external_port_range: [8080, 8089] });
    expect(toOne).toMatchObject({ externalLast: 8089, internalFirst: 80, internalLast: 80 });
  });

  it('keeps what an update does not say', () => {
    const before = planForward(null, { ...base, internal_port: 80, external_port: 8080, description: 'd' });
    expect(planForward(before, { internal_port: 81 })).toEqual({ ...before, internalFirst: 81, internalLast: 81 });
  });

  it('has no ports where the protocol has none', () => {
    expect(planForward(null, { ...base, protocol: 'icmp' })).toMatchObject({ externalFirst: null, internalLast: null });
    expect(() => planForward(null, { ...base, protocol: 'icmp', external_port: 1 })).toThrow('icmp');
  });

  it.each([
    [{ internal_port: 80 }],
    [{ external_port: 80 }],
    [{ internal_port_range: [80, 81], external_port_range: [80, 82] }],
    [{ internal_port_range: [80, 81], external_port: 80 }],
    [{ internal_port: 80, internal_port_range: [81, 82], external_port: 80 }],
  ] as const)('%j is refused', (ports) => {
    expect(() => planForward(null, { ...base, ...(ports as object) })).toThrow('Bad port_forwarding request');
  });
});
