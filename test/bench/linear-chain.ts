import { run } from '../../runner/host/run.ts';
import type { SecurityGroupSpec } from '../../shared/specs/network.ts';
import type { Host } from '../machine/joined-hosts.ts';

const NAMES: Record<number, string> = { 1: 'icmp', 6: 'tcp', 17: 'udp' };

/**
 * Ingress rules as one chain of iptables, which each packet that a machine forwards walks from the top, as nova-network's
 * did; answers pass at its end. Null takes the chain away.
 */
export async function linearChain(hosts: Host[], rules: SecurityGroupSpec['rules'] | null): Promise<void> {
  const lines = (rules ?? []).map(({ protocol, remote_ip_prefix, port_range_min }) => {
    const ports = port_range_min === null ? '' : `--dport ${port_range_min}`;
    return `-A FORWARD -s ${remote_ip_prefix ?? '0.0.0.0/0'} -p ${NAMES[protocol ?? 0]} ${ports} -j ACCEPT`;
  });
  const ends = ['-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT', '-A FORWARD -j DROP'];
  const table = ['*filter', ':FORWARD ACCEPT', ...(rules ? [...lines, ...ends] : []), 'COMMIT', ''].join('\n');
  for (const { namespace } of hosts) {
    await run('ip', ['netns', 'exec', namespace.name, 'iptables-legacy-restore'], { input: table });
  }
}
