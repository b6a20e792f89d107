import { join } from 'node:path';
import { loadSecrets } from '../../home/secrets.ts';
import { MTU_MAX } from '../../worker/network/networks/attributes.ts';
import { type Cloud, REGION } from '../cloud.ts';

/** More than any test takes, and less than no limit. */
const QUOTAS = { instances: 1_000, cores: 1_000, ram: 1_000_000 };

const IMAGE_BYTES = 64 * 1024;
/** Tempest asks again after this many seconds; by default it asks every second at most. */
const BUILD_INTERVAL_S = 1;

const OTHER_IMAGE_SERVICE = 'image_remote';

/** Options of tempest, by their section. */
export type Sections = Record<string, Record<string, string | number | boolean>>;

/** What tempest is told to try beyond its defaults; each is something this cloud has, or means to have. */
const FEATURES: Sections = {
  'identity-feature-enabled': {
    api_v2: false,
    api_v3: true,
    access_rules: true,
    domain_specific_drivers: true,
    security_compliance: true,
  },
  'compute-feature-enabled': {
    resize: true,
    shelve_migrate: true,
    stable_rescue: true,
    vnc_console: true,
    console_output: true,
    personality: true,
    hostname_fqdn_sanitization: true,
    block_migration_for_live_migration: true,
    live_migrate_back_and_forth: true,
    scheduler_enabled_filters: 'all',
    // By this name tempest knows that the metadata of servers can be changed.
    xenapi_apis: true,
  },
  'image-feature-enabled': { import_image: true, os_glance_reserved: true },
};

/**
 * Makes what tests need that are no administrators, and says it in tempest's words.
 * @param options - a folder of tempest's own, how many machines there are, where an image can be downloaded from, and what
 *   else it is told, before what is said here
 */
export async function tempestConfig(
  cloud: Cloud,
  options: { folder: string; runners: number; imageUrl: string; more?: Sections | undefined },
): Promise<string> {
  const { admin, paths, url } = cloud;
  const { folder } = options;
  // What is without a limit cannot be gone beyond: tempest passes such tests over.
  await admin.call('compute', 'PUT', '/os-quota-class-sets/default', { quota_class_set: QUOTAS });
  const { network } = await admin.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: { name: 'tempest', shared: true, multi_host: false },
  });
  const { subnet } = await admin.call<{ subnet: { id: string } }>('network', 'POST', '/v2.0/subnets', {
    subnet: { name: 'tempest', network_id: network.id, ip_version: 4, cidr: '10.99.0.0/20' },
  });
  const publicId = await newPublicNetwork(cloud, subnet.id);
  await admin.call('network', 'POST', '/v2.0/subnetpools', {
    subnetpool: { name: 'tempest', shared: true, is_default: true, prefixes: ['10.128.0.0/12'], default_prefixlen: 26 },
  });
  await otherImageEndpoint(cloud);
  const sections: Sections = {
    ...FEATURES,
    // With all requests and answers.
    DEFAULT: { log_file: join(folder, 'tempest.log'), debug: true },
    oslo_concurrency: { lock_path: join(folder, 'locks') },
    auth: {
      use_dynamic_credentials: true,
      // All tenants' servers are in one network, behind one router.
      create_isolated_networks: false,
      admin_username: 'admin',
      admin_password: loadSecrets(paths.secrets).adminPassword,
      admin_project_name: 'admin',
      admin_domain_name: 'Default',
    },
    identity: { uri_v3: `${url}/identity/v3`, auth_version: 'v3', region: REGION, v3_endpoint_type: 'public' },
    compute: {
      image_ref: await newImage(cloud, 'tempest-1'),
      image_ref_alt: await newImage(cloud, 'tempest-2'),
      flavor_ref: await newFlavor(cloud, 'tempest-1', 64),
      flavor_ref_alt: await newFlavor(cloud, 'tempest-2', 128),
      fixed_network_name: 'tempest',
      build_interval: BUILD_INTERVAL_S,
      build_timeout: 60,
      min_compute_nodes: options.runners,
      min_microversion: '2.1',
      max_microversion: 'latest',
    },
    image: {
      disk_formats: 'raw,ami,ari,aki',
      container_formats: 'bare,ami,ari,aki',
      http_image: options.imageUrl,
      alternate_image_endpoint: OTHER_IMAGE_SERVICE,
      build_interval: BUILD_INTERVAL_S,
      build_timeout: 60,
    },
    network: {
      project_network_cidr: '10.100.0.0/16',
      public_network_id: publicId,
      floating_network_name: 'public',
      build_interval: BUILD_INTERVAL_S,
    },
    'network-feature-enabled': {
      ipv6: true,
      ipv6_subnet_attributes: true,
      floating_ips: true,
      port_security: true,
      api_extensions: await extensionsOf(cloud),
    },
    neutron_plugin_options: { max_mtu: MTU_MAX, available_type_drivers: 'flat,vlan,vxlan' },
    validation: { run_validation: false },
    service_available: { nova: true, glance: true, neutron: true, cinder: false, swift: false },
  };
  const { more = {} } = options;
  const names = new Set([...Object.keys(sections), ...Object.keys(more)]);
  return [...names]
    .map((name) => {
      const lines = Object.entries({ ...sections[name], ...more[name] }).map(
        ([option, value]) => `${option} = ${value}`,
      );
      return [`[${name}]`, ...lines].join('\n');
    })
    .join('\n');
}

/** What there is of Neutron's extensions: tests of others are passed over. */
async function extensionsOf({ admin }: Cloud): Promise<string> {
  const { extensions } = await admin.call<{ extensions: { alias: string }[] }>('network', 'GET', '/v2.0/extensions');
  return extensions.map(({ alias }) => alias).join();
}

/** A network outside, and a router that leads there from the subnet of all tenants' servers. @returns the network's id */
async function newPublicNetwork({ admin }: Cloud, insideSubnet: string): Promise<string> {
  const { network } = await admin.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: { name: 'public', 'router:external': true, 'provider:network_type': 'local' },
  });
  await admin.call('network', 'POST', '/v2.0/subnets', {
    subnet: { name: 'public', network_id: network.id, ip_version: 4, cidr: '172.24.0.0/20', enable_dhcp: false },
  });
  const { router } = await admin.call<{ router: { id: string } }>('network', 'POST', '/v2.0/routers', {
    router: { name: 'tempest', external_gateway_info: { network_id: network.id } },
  });
  await admin.call('network', 'PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: insideSubnet });
  return network.id;
}

/** Says by a second name where images are: tempest takes it for another of Glance's workers. Here all are alike. */
async function otherImageEndpoint({ admin, url }: Cloud): Promise<void> {
  const { service } = await admin.call<{ service: { id: string } }>('identity', 'POST', '/services', {
    service: { type: OTHER_IMAGE_SERVICE, name: OTHER_IMAGE_SERVICE },
  });
  await admin.call('identity', 'POST', '/endpoints', {
    endpoint: { service_id: service.id, region_id: REGION, interface: 'public', url: `${url}/image` },
  });
}

async function newImage({ admin }: Cloud, name: string): Promise<string> {
  const { id } = await admin.call<{ id: string }>('image', 'POST', '/v2/images', {
    name,
    visibility: 'public',
    disk_format: 'raw',
    container_format: 'bare',
  });
  const data = new Uint8Array(IMAGE_BYTES).fill(1);
  await admin.call('image', 'PUT', `/v2/images/${id}/file`, data, { 'content-type': 'application/octet-stream' });
  return id;
}

async function newFlavor({ admin }: Cloud, name: string, ram: number): Promise<string> {
  const flavor = { name, ram, vcpus: 1, disk: 1 };
  return (await admin.call<{ flavor: { id: string } }>('compute', 'POST', '/flavors', { flavor })).flavor.id;
}
