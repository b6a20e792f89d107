import { ComputeCloud } from '../../test/compute-cloud.ts';
import { ComputeTrials } from '../../test/compute-policy.ts';
import { describePolicy, trial } from '../../test/edge-policy.ts';
import type { ComputeAction } from './policy.ts';

/** What is done to a guest on its host. */
export type GuestAction = Extract<
  ComputeAction,
  | `os_compute_api:servers:${'trigger_crash_dump' | 'rebuild' | 'create_image'}`
  | `os_compute_api:${'os-pause-server' | 'os-suspend-server' | 'os-rescue' | 'os-unrescue' | 'os-create-backup' | 'os-shelve'}${string}`
>;

const t = new ComputeTrials(async () => {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner({
    name: 'host-1',
    ...{ vcpus: 1_000, memoryMib: 512_000, diskGib: 1_000 },
    ...{ vcpusAllocatable: 1_000, memoryMibAllocatable: 512_000, diskGibAllocatable: 1_000 },
  });
  return cloud;
});
/** Brings a server into a state by an action and what its host then reports. */
const by =
  (body: Record<string, unknown>, state: 'paused' | 'suspended' | 'running') =>
  async (cloud: ComputeCloud, id: string): Promise<void> => {
    await cloud.answer('POST', `/servers/${id}/action`, { body, status: 'rescue' in body ? 200 : 202 });
    await cloud.observe(id, { state });
  };
/** Brings a server off its host, its disk an image. */
const shelved = async (cloud: ComputeCloud, id: string): Promise<void> => {
  await cloud.act(id, { shelve: null });
  await cloud.copied(id);
  await cloud.observe(id, { state: 'absent' });
};
const rebuild = async () => t.action({ rebuild: { imageRef: t.cloud.imageId } })();

describePolicy<GuestAction>('compute, guests', t.cast, {
  'os_compute_api:os-pause-server:pause': trial('member', 202, t.action({ pause: null })),
  'os_compute_api:os-pause-server:unpause': trial(
    'member',
    202,
    t.action({ unpause: null }, { before: by({ pause: null }, 'paused') }),
  ),
  'os_compute_api:os-suspend-server:suspend': trial('member', 202, t.action({ suspend: null })),
  'os_compute_api:os-suspend-server:resume': trial(
    'member',
    202,
    t.action({ resume: null }, { before: by({ suspend: null }, 'suspended') }),
  ),
  'os_compute_api:os-rescue': trial('member', 200, t.action({ rescue: null })),
  'os_compute_api:os-unrescue': trial(
    'member',
    202,
    t.action({ unrescue: null }, { before: by({ rescue: null }, 'running') }),
  ),
  'os_compute_api:servers:create_image': trial('member', 202, t.action({ createImage: { name: 'i' } })),
  'os_compute_api:os-create-backup': trial(
    'member',
    202,
    t.action({ createBackup: { name: 'b', backup_type: 'daily', rotation: 1 } }),
  ),
  'os_compute_api:os-shelve:shelve': trial('member', 202, t.action({ shelve: null })),
  'os_compute_api:os-shelve:shelve_offload': trial(
    'admin',
    202,
    t.action({ shelveOffload: null }, { before: (cloud, id) => cloud.put(id, { vmState: 'shelved' }) }),
  ),
  'os_compute_api:os-shelve:unshelve': trial('member', 202, t.action({ unshelve: null }, { before: shelved })),
  'os_compute_api:os-shelve:unshelve_to_host': trial(
    'admin',
    202,
    t.action({ unshelve: { host: 'host-1' } }, { minor: 91, before: shelved }),
    { stranger: 404 },
  ),
  'os_compute_api:servers:rebuild': trial('member', 202, rebuild),
  'os_compute_api:servers:trigger_crash_dump': trial('member', 202, t.action({ trigger_crash_dump: null })),
});
