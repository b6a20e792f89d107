import { novaTime } from '../servers/views.ts';
import type { ServerUsage, Window } from './tenant-usage.ts';

function serverUsageView(usage: ServerUsage) {
  const { flavor } = usage;
  return {
    instance_id: usage.id,
    name: usage.name,
    hours: usage.hours,
    flavor: flavor.name,
    tenant_id: usage.projectId,
    started_at: novaTime(usage.startedAtMs),
    ended_at: usage.endedAtMs === null ? null : novaTime(usage.endedAtMs),
    memory_mb: flavor.ramMib,
    local_gb: flavor.diskGib + flavor.ephemeralGib,
    vcpus: flavor.vcpus,
    state: usage.endedAtMs === null ? usage.vmState : 'terminated',
    uptime: usage.uptimeS,
  };
}

/** What the servers of one project used, summed up. */
function tenantUsageView(projectId: string, usages: readonly ServerUsage[], window: Window, detailed: boolean) {
  const sum = (of: (usage: ServerUsage) => number) => usages.reduce((total, usage) => total + of(usage), 0);
  return {
    ...(detailed ? { server_usages: usages.map(serverUsageView) } : {}),
    tenant_id: projectId,
    start: novaTime(window.startMs),
    stop: novaTime(window.stopMs),
    total_hours: sum(({ hours }) => hours),
    total_vcpus_usage: sum(({ hours, flavor }) => hours * flavor.vcpus),
    total_memory_mb_usage: sum(({ hours, flavor }) => hours * flavor.ramMib),
    total_local_gb_usage: sum(({ hours, flavor }) => hours * (flavor.diskGib + flavor.ephemeralGib)),
  };
}

/** The same project by project. */
export const tenantUsagesView = (usages: readonly ServerUsage[], window: Window, detailed: boolean) =>
  [...Map.groupBy(usages, ({ projectId }) => projectId)].map(([projectId, own]) =>
    tenantUsageView(projectId, own, window, detailed),
  );
