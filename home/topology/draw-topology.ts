import type { Host, Network, Port, Router, Topology } from './topology.ts';

interface Branch {
  text: string;
  below?: Branch[];
}

/** Draws a cloud as text: what is in what, and how it hangs together. */
export function drawTopology(cloud: Topology): string {
  const names = nameList(cloud);
  const parts: [string, Branch[] | null][] = [
    ['Machines', cloud.hosts?.map(hostBranch) ?? null],
    ['Networks', cloud.networks.map((network) => networkBranch(cloud, names, network))],
    ['Routers', cloud.routers.map((router) => routerBranch(cloud, names, router))],
  ];
  return parts
    .filter(([, branches]) => branches?.length !== 0)
    .flatMap(([title, branches]) => [
      '',
      title,
      ...(branches ? lines(branches) : ['  (only an administrator sees them)']),
    ])
    .slice(1)
    .join('\n');
}

/** A name for each id; names that stand for several say their id's beginning, too. */
function nameList(cloud: Topology): (id: string) => string {
  const all = [...cloud.networks, ...cloud.routers, ...[...cloud.servers].map(([id, { name }]) => ({ id, name }))];
  const byId = new Map(all.map(({ id, name }) => [id, plain(name)]));
  const counts = new Map<string, number>();
  for (const name of byId.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return (id) => {
    const name = byId.get(id) ?? '';
    return name !== '' && counts.get(name) === 1 ? name : `${name} ${id.slice(0, 8)}`.trim();
  };
}

/** Names are whatever tenants gave: nothing of them reaches a terminal as a command. */
const plain = (text: string): string => text.replaceAll(/\p{C}/gu, '?');

const hostBranch = ({ name, zone, state, status, guests, pending_objects }: Host): Branch => ({
  text: [
    `${name}  zone ${zone}  ${state}, ${status}  ${guests} ${guests === 1 ? 'guest' : 'guests'}`,
    ...(pending_objects > 0 ? [`lags by ${pending_objects}`] : []),
  ].join('  '),
});

function networkBranch(cloud: Topology, names: (id: string) => string, network: Network): Branch {
  const ranges = cloud.subnets.filter((subnet) => subnet.network_id === network.id).map((subnet) => subnet.cidr);
  const text = [names(network.id), segmentOf(network), ...ranges].filter(Boolean).join('  ');
  const ports = cloud.ports.filter((port) => port.network_id === network.id);
  return { text, below: ports.map((port) => ({ text: portText(cloud, names, port) })) };
}

function segmentOf(network: Network): string {
  const type = network['provider:network_type'];
  const place = [
    type,
    network['provider:segmentation_id'],
    network['provider:physical_network'] && `on ${network['provider:physical_network']}`,
  ];
  const words = [
    place.filter((word) => word !== null && word !== undefined && word !== '').join(' '),
    network['router:external'] ? 'external' : '',
    network.shared ? 'shared' : '',
  ].filter(Boolean);
  return words.length > 0 ? `(${words.join(', ')})` : '';
}

function portText(cloud: Topology, names: (id: string) => string, port: Port): string {
  const server = cloud.servers.get(port.device_id);
  const kind = port.device_owner.replace(/^network:/, '').replaceAll('_', ' ');
  const who = server
    ? `${names(port.device_id)} ${server.status}`
    : kind && port.device_id
      ? `${kind} of ${names(port.device_id)}`
      : kind || plain(port.name) || `port ${port.id.slice(0, 8)}`;
  const floating = cloud.floatingIps.filter((one) => one.port_id === port.id).map((one) => one.floating_ip_address);
  const host = port['binding:host_id'];
  return [
    port.fixed_ips.map((fixed) => fixed.ip_address).join(', ') || 'no address',
    who,
    port.status,
    host ? `on ${host}` : '',
    ...floating.map((address) => `= ${address}`),
  ]
    .filter(Boolean)
    .join('  ');
}

function routerBranch(cloud: Topology, names: (id: string) => string, router: Router): Branch {
  const gateway = router.external_gateway_info;
  const addresses = gateway?.external_fixed_ips?.map((fixed) => fixed.ip_address) ?? [];
  const interfaces = cloud.ports.filter(
    (port) => port.device_id === router.id && /router_(interface|ha_interface)|ha_router/.test(port.device_owner),
  );
  return {
    text: names(router.id),
    below: [
      ...(gateway ? [{ text: [`to ${names(gateway.network_id)}`, ...addresses].join('  ') }] : []),
      ...interfaces.map((port) => ({
        text: [names(port.network_id), ...port.fixed_ips.map((fixed) => fixed.ip_address)].join('  '),
      })),
    ],
  };
}

function lines(branches: Branch[]): string[] {
  return branches.flatMap(({ text, below = [] }, index) => {
    const last = index === branches.length - 1;
    return [`${last ? '└─' : '├─'} ${text}`, ...lines(below).map((line) => `${last ? '   ' : '│  '}${line}`)];
  });
}
