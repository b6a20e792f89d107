import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flavorDemands, type HostTraits, imageDemands } from './demands.ts';
import { matches } from './spec-match.ts';

const host = (of: Partial<HostTraits> = {}): HostTraits => ({
  id: 'h',
  tunnelIp: null,
  physicalNetworks: [],
  hypervisor: 'qemu',
  capabilities: ['arch:x86_64', 'accelerator:kvm', 'cores:8'],
  aggregates: [],
  ...of,
});
const good = (demands: ReturnType<typeof flavorDemands>, of: Partial<HostTraits> = {}) =>
  demands.every((demand) => demand.holds(host(of)));

describe('an extra spec asks', () => {
  it.each([
    ['8', '= 8', true],
    ['9', '= 8', true],
    ['7', '= 8', false],
    ['8', '== 8', true],
    ['8', '!= 8', false],
    ['8', '>= 9', false],
    ['8', '<= 9', true],
    ['b', 's== b', true],
    ['b', 's!= b', false],
    ['b', 's< c', true],
    ['b', 's<= b', true],
    ['b', 's> a', true],
    ['b', 's>= c', false],
    ['aes,mmx', '<in> aes', true],
    ['aes,mmx', '<all-in> aes mmx', true],
    ['aes,mmx', '<all-in> aes sse', false],
    ['fpu', '<or> fpu <or> gpu', true],
    ['cpu', '<or> fpu <or> gpu', false],
    ['true', 'true', true],
    ['12', '123', false],
  ])('of %s whether it is %s: %s', (value, asked, holds) => {
    expect(matches(value, asked)).toBe(holds);
  });

  it('for itself, of any text without an operator', () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-z0-9]{1,9}$/), (text) => matches(text, text)));
  });
});

describe('a flavor', () => {
  it('asks a host for what its aggregates say', () => {
    const demands = flavorDemands({ 'aggregate_instance_extra_specs:disk': 'ssd' });
    expect(good(demands)).toBe(false);
    expect(good(demands, { aggregates: [{ disk: 'hdd' }] })).toBe(false);
    expect(good(demands, { aggregates: [{ other: 'x' }, { disk: 'hdd, ssd' }] })).toBe(true);
  });

  it('asks a host for what it can', () => {
    expect(good(flavorDemands({ 'capabilities:cores': '>= 8', 'capabilities:hypervisor_type': 's== QEMU' }))).toBe(
      true,
    );
    expect(good(flavorDemands({ 'capabilities:cores': '>= 9' }))).toBe(false);
    expect(good(flavorDemands({ 'capabilities:cpu_info:arch': 'x86_64' }))).toBe(true);
    expect(good(flavorDemands({ gpu: 'true' }))).toBe(false);
    expect(good(flavorDemands({ 'hw:cpu_policy': 'shared', 'quota:disk_read_iops_sec': '9' }))).toBe(true);
    expect(good(flavorDemands({ 'trait:CUSTOM_GOLD': 'required' }))).toBe(false);
    expect(good(flavorDemands({ 'trait:CUSTOM_GOLD': 'required' }), { capabilities: ['trait:CUSTOM_GOLD'] })).toBe(
      true,
    );
    expect(good(flavorDemands({ 'trait:CUSTOM_GOLD': 'forbidden' }))).toBe(true);
    expect(good(flavorDemands({ 'trait:CUSTOM_GOLD': 'forbidden' }), { capabilities: ['trait:CUSTOM_GOLD'] })).toBe(
      false,
    );
  });

  it('says what a host lacks', () => {
    expect(flavorDemands({ 'capabilities:cores': '>= 9' })[0]?.refused).toBe('without capabilities:cores >= 9');
  });
});

describe('an image', () => {
  it.each([
    [{ architecture: 'amd64' }, true],
    [{ hw_architecture: 'i686' }, true],
    [{ hw_architecture: 'aarch64' }, false],
    [{ img_hv_type: 'kvm' }, true],
    [{ hypervisor_type: 'qemu' }, true],
    [{ img_hv_type: 'xen' }, false],
    [{ hw_vm_mode: 'hvm' }, true],
    [{ vm_mode: 'xen' }, false],
    [{ hw_machine_type: 'pc-q35-8.2' }, true],
    [{ hw_machine_type: 'pc' }, false],
    [{ os_distro: 'debian' }, true],
  ])('with %j may go to a host with KVM on x86_64: %s', (properties, holds) => {
    expect(good(imageDemands(properties as Record<string, string>))).toBe(holds);
  });

  it('goes anywhere that does not say otherwise, and to no KVM where there is none', () => {
    expect(good(imageDemands({ hw_architecture: 'aarch64' }), { capabilities: [] })).toBe(true);
    expect(good(imageDemands({ img_hv_type: 'kvm' }), { capabilities: ['accelerator:tcg'] })).toBe(false);
    expect(good(imageDemands({ img_hv_type: 'kvm' }), { hypervisor: 'simulated' })).toBe(true);
  });
});
