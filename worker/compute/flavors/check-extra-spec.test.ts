import { expect, it } from 'vitest';
import { checkExtraSpec } from './check-extra-spec.ts';

it.each([
  ['hw:cpu_policy', 'dedicated'],
  ['hw:numa_cpus.0', '0-3,^2'],
  ['hw:numa_nodes', '2'],
  ['hw:mem_page_size', '2MB'],
  ['hw:boot_menu', 'True'],
  ['hw_rng:rate_bytes', '0'],
  ['quota:cpu_quota', '9'],
  ['quota:cpu_limit', '-1'],
  ['resources:VCPU', '0'],
  ['resources1:CUSTOM_X', '1'],
  ['trait:HW_CPU_X86_AVX2', 'required'],
  ['trait_net:CUSTOM_FAST', 'forbidden'],
  ['capabilities:vcpus', '>= 6'],
  ['aggregate_instance_extra_specs:disk', 'ssd'],
  ['ours:anything', 'goes'],
  ['anything', 'goes'],
])('%s may be %s', (name, value) => {
  expect(() => checkExtraSpec(name, value)).not.toThrow();
});

it.each([
  ['hw:cpu_policy', 'odd', "Validation failed; 'odd' is not one of: dedicated, shared, mixed."],
  ['hw:numa_nodes', '0', "Validation failed; '0' is less than the min value of '1'."],
  ['hw:numa_nodes', 'two', "Validation failed; 'two' is not a valid integer value."],
  ['hw:boot_menu', 'maybe', "Validation failed; 'maybe' is not a valid boolean-like value."],
  ['hw:pmem', '-', "Validation failed; '-' is not of the format '([a-zA-Z0-9_]+(,)?)+'."],
  ['hw:odd', '1', "Validation failed; extra spec 'hw:odd' does not appear to be a valid extra spec."],
  ['trait:X', 'liked', "Validation failed; 'liked' is not one of: required, forbidden."],
  ['resources:vcpu', '1', "Validation failed; extra spec 'resources:vcpu' does not appear to be a valid extra spec."],
])('%s may not be %s', (name, value, message) => {
  expect(() => checkExtraSpec(name, value)).toThrow(message);
});
