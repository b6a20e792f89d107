/** A cloud as its API tells of it, as far as who asks may see. */
export interface Topology {
  /** Null where only an administrator is told. */
  hosts: Host[] | null;
  networks: Network[];
  subnets: { id: string; network_id: string; cidr: string; gateway_ip: string | null }[];
  ports: Port[];
  routers: Router[];
  floatingIps: { id: string; floating_ip_address: string; port_id: string | null; floating_network_id: string }[];
  /** Names by id. */
  servers: Map<string, { name: string; status: string }>;
}

export interface Host {
  name: string;
  zone: string;
  state: string;
  status: string;
  guests: number;
  /** What it should hold and has not reported in force yet. */
  pending_objects: number;
}

export interface Network {
  id: string;
  name: string;
  shared: boolean;
  project_id: string;
  'router:external'?: boolean;
  'provider:network_type'?: string | null;
  'provider:physical_network'?: string | null;
  'provider:segmentation_id'?: number | null;
}

export interface Port {
  id: string;
  name: string;
  network_id: string;
  status: string;
  device_id: string;
  device_owner: string;
  'binding:host_id'?: string;
  fixed_ips: { ip_address: string }[];
}

export interface Router {
  id: string;
  name: string;
  external_gateway_info: { network_id: string; external_fixed_ips?: { ip_address: string }[] } | null;
}
