import { startCloud } from '../cloud.ts';
import { figure, quantile } from './figures.ts';
import { active, prepare } from './work.ts';

const RUNNERS = 100;
const TRIES = 10;

/** How soon a rule of a group is in force on all machines that have a guest in it: of 100 simulated ones. */
export async function ruleEverywhere(): Promise<void> {
  const cloud = await startCloud();
  try {
    await cloud.runners({ hypervisor: 'simulated', count: RUNNERS });
    const work = await prepare(cloud.admin);
    const { call } = work.api;
    const { network } = await call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
      network: { name: 'bench' },
    });
    await call('network', 'POST', '/v2.0/subnets', {
      subnet: { network_id: network.id, ip_version: 4, cidr: '10.20.0.0/16' },
    });
    const {
      security_groups: [group],
    } = await call<{ security_groups: { id: string }[] }>(
      'network',
      'GET',
      `/v2.0/security-groups?name=default&project_id=${work.api.projectId}`,
    );
    const { flavorRef, imageRef } = { flavorRef: work.flavorId, imageRef: work.imageId };
    for (let at = 0; at < RUNNERS; at++) {
      const server = { name: `s${at}`, flavorRef, imageRef, networks: [{ uuid: network.id }] };
      await active(work, (await call<{ server: { id: string } }>('compute', 'POST', '/servers', { server })).server.id);
    }
    const inForce = async () => {
      const url = `${cloud.url}/aerostat/v1/applied/security-groups/${group?.id}`;
      const answer = await fetch(url, { headers: { 'x-auth-token': work.api.token } });
      return ((await answer.json()) as { applied: { hosts_applied: number; hosts_total: number } }).applied;
    };
    const times: number[] = [];
    for (let port = 1; port <= TRIES; port++) {
      const began = performance.now();
      const rule = {
        security_group_id: group?.id,
        direction: 'ingress',
        protocol: 'tcp',
        port_range_min: port,
        port_range_max: port,
      };
      await call('network', 'POST', '/v2.0/security-group-rules', { security_group_rule: rule });
      for (let now = await inForce(); now.hosts_applied < now.hosts_total; ) now = await inForce();
      times.push(performance.now() - began);
    }
    figure('rule_hosts', (await inForce()).hosts_total, 'machines');
    figure('rule_in_force_everywhere_median', quantile(times, 0.5), 'ms');
    figure('rule_in_force_everywhere_max', Math.max(...times), 'ms');
  } finally {
    await cloud.stop();
  }
}
