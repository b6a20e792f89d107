/** Bodies that tempest never sends, or that its log leaves out. */
export const byHand: Record<string, unknown[]> = {
  'POST /identity/v3/auth/tokens': [
    { auth: { identity: { methods: ['token'], token: { id: '{token}' } }, scope: { project: { id: '{project}' } } } },
    {
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'x', domain: { id: '{domain}' }, password: 'y' } },
        },
        scope: { system: { all: true } },
      },
    },
  ],
  'POST /identity/v3/registered_limits': [
    { registered_limits: [{ service_id: '{service}', resource_name: 'servers', default_limit: 10 }] },
  ],
  'POST /identity/v3/limits': [
    {
      limits: [{ service_id: '{service}', resource_name: 'servers', resource_limit: 5, project_id: '{project}' }],
    },
  ],
  'POST /identity/v3/users/:user/application_credentials': [
    {
      application_credential: {
        name: '{unique}',
        access_rules: [{ service: 'compute', method: 'GET', path: '/v2.1/servers' }],
      },
    },
  ],
  'POST /identity/v3/users/:id/password': [{ user: { original_password: 'x', password: 'y' } }],
  'PATCH /identity/v3/users/:id': [{ user: { description: 'x', email: 'a@b.c', default_project_id: '{project}' } }],
  'PATCH /identity/v3/roles/:id': [{ role: { name: 'x', description: 'y', options: { immutable: false } } }],
  ...Object.fromEntries(
    ['PUT', 'PATCH'].map((method) => [
      `${method} /identity/v3/domains/:domain/config`,
      [{ config: { identity: { driver: 'ldap' }, ldap: { url: 'ldap://a.example', user_tree_dn: 'dc=a' } } }],
    ]),
  ),
  'PATCH /identity/v3/domains/:domain/config/:group': [{ config: { ldap: { url: 'ldap://b.example' } } }],
  'PATCH /identity/v3/domains/:domain/config/:group/:option': [{ config: { url: 'ldap://c.example' } }],
  'PUT /identity/v3/projects/:id/tags': [{ tags: ['blue', 'green'] }],
  'PUT /identity/v3/OS-FEDERATION/identity_providers/:id': [
    { identity_provider: { enabled: true, remote_ids: ['https://idp.example/x'], description: 'x' } },
  ],
  ...Object.fromEntries(
    ['PUT', 'PATCH'].map((method) => [
      `${method} /identity/v3/OS-FEDERATION/mappings/:id`,
      [{ mapping: { rules: [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'OIDC-sub' }] }] } }],
    ]),
  ),
  'PUT /identity/v3/regions/:id': [{ region: { description: 'x' } }],
  'PUT /identity/v3/OS-FEDERATION/identity_providers/:idp/protocols/:id': [{ protocol: { mapping_id: '{mapping}' } }],
  'PUT /identity/v3/OS-FEDERATION/service_providers/:id': [
    { service_provider: { auth_url: 'https://a.example/v3', sp_url: 'https://a.example/sp', enabled: true } },
  ],

  'POST /compute/v2.1/servers': [
    {
      server: {
        name: 'x',
        imageRef: '{image}',
        flavorRef: '{flavor}',
        networks: [{ port: '{port}' }],
        key_name: '{keypair}',
        metadata: { a: 'b' },
        tags: ['blue'],
        user_data: 'eA==',
        availability_zone: 'nova',
        block_device_mapping_v2: [
          {
            boot_index: 0,
            uuid: '{image}',
            source_type: 'image',
            destination_type: 'local',
            delete_on_termination: true,
          },
        ],
      },
      'os:scheduler_hints': { group: '{server_group}', same_host: ['{server}'] },
    },
    { server: { name: 'x', imageRef: '{image}', flavorRef: '{flavor}', networks: 'none' } },
  ],
  'POST /compute/v2.1/flavors': [
    { flavor: { name: '{unique}', ram: 1, vcpus: 1, disk: 1, 'os-flavor-access:is_public': false } },
  ],
  'POST /compute/v2.1/servers/:id/remote-consoles': [{ remote_console: { protocol: 'vnc', type: 'novnc' } }],
  'POST /compute/v2.1/os-security-group-rules': [
    {
      security_group_rule: {
        parent_group_id: '{security_group}',
        ip_protocol: 'tcp',
        from_port: 22,
        to_port: 22,
        cidr: '{cidr}',
      },
    },
  ],
  'POST /compute/v2.1/os-aggregates/:id/images': [{ cache: [{ id: '{image}' }] }],
  'POST /compute/v2.1/servers/:id/os-interface': [{ interfaceAttachment: { port_id: '{port}' } }],
  'POST /image/v2/tasks': [
    {
      type: 'import',
      input: {
        import_from: 'http://192.0.2.1/x',
        import_from_format: 'raw',
        image_properties: { disk_format: 'raw', container_format: 'bare' },
      },
    },
  ],
  'PUT /compute/v2.1/images/:id/metadata/:key': [{ meta: { blue: 'x' } }],
  'POST /compute/v2.1/flavors/:id/action': [
    { addTenantAccess: { tenant: '{project}' } },
    { removeTenantAccess: { tenant: '{project}' } },
  ],
  'PUT /compute/v2.1/flavors/:id/os-extra_specs/:key': [{ blue: 'x' }],
  'POST /compute/v2.1/flavors/:id/os-extra_specs': [{ extra_specs: { blue: 'x', 'hw:cpu_policy': 'shared' } }],
  'POST /compute/v2.1/servers/:id/metadata': [{ metadata: { blue: 'x' } }],
  'PUT /compute/v2.1/servers/:id/metadata/:key': [{ meta: { blue: 'x' } }],
  'PUT /compute/v2.1/servers/:id/tags': [{ tags: ['blue'] }],
  'PUT /compute/v2.1/os-quota-sets/:id': [{ quota_set: { cores: 3, force: true } }],
  'PUT /compute/v2.1/os-services/:id': [
    { status: 'disabled', disabled_reason: 'x' },
    { status: 'enabled' },
    { forced_down: true },
  ],

  'POST /image/v2/images': [
    {
      name: 'x',
      disk_format: 'raw',
      container_format: 'bare',
      visibility: 'shared',
      tags: ['a'],
      min_ram: 1,
      note: 'n',
    },
  ],
  'PATCH /image/v2/images/:id': [
    [
      { op: 'replace', path: '/name', value: 'x' },
      { op: 'add', path: '/colour', value: 'blue' },
    ],
    [{ op: 'remove', path: '/colour' }],
    [{ op: 'replace', path: '/visibility', value: 'shared' }],
    [{ op: 'add', path: '/tags/-', value: 'x' }],
  ],
  'POST /image/v2/images/:id/members': [{ member: '{project}' }],
  'PUT /image/v2/images/:id/members/:member': [{ status: 'accepted' }],
  'POST /image/v2/images/:id/import': [
    { method: { name: 'web-download', uri: 'http://192.0.2.1/x' } },
    { method: { name: 'glance-direct' }, all_stores: true },
  ],

  'POST /networking/v2.0/networks': [
    {
      network: {
        name: 'x',
        admin_state_up: true,
        port_security_enabled: true,
        mtu: 1400,
        dns_domain: 'a.b.',
        tags: ['x'],
      },
    },
    { networks: [{ name: 'x' }, { name: 'y' }] },
  ],
  'POST /networking/v2.0/subnetpools': [
    { subnetpool: { name: 'x', prefixes: ['10.20.0.0/16'], default_prefixlen: 24 } },
  ],
  'POST /networking/v2.0/address-scopes': [{ address_scope: { name: 'x', ip_version: 4 } }],
  'POST /networking/v2.0/rbac-policies': [
    {
      rbac_policy: {
        object_type: 'network',
        object_id: '{network}',
        action: 'access_as_shared',
        target_tenant: '{project}',
      },
    },
  ],
  'POST /networking/v2.0/routers': [
    { router: { name: 'x', external_gateway_info: { network_id: '{external_network}' } } },
    { router: { name: 'x' } },
  ],
  'POST /networking/v2.0/floatingips': [{ floatingip: { floating_network_id: '{external_network}' } }],
  'POST /networking/v2.0/floatingips/:floatingip/port_forwardings': [
    {
      port_forwarding: {
        internal_port_id: '{port}',
        internal_ip_address: '10.7.0.44',
        internal_port: 80,
        external_port: 8080,
        protocol: 'tcp',
      },
    },
  ],
  ...Object.fromEntries(
    ['add', 'remove'].map((verb) => [
      `PUT /networking/v2.0/routers/:id/${verb}_router_interface`,
      [{ subnet_id: '{subnet}' }, { port_id: '{port}' }],
    ]),
  ),
  'PUT /networking/v2.0/subnetpools/:id/add_prefixes': [{ prefixes: ['{cidr}'] }],
  'PUT /networking/v2.0/subnetpools/:id/remove_prefixes': [{ prefixes: ['10.20.0.0/16'] }],
  'PUT /networking/v2.0/subnetpools/:id/onboard_network_subnets': [{ network_id: '{network}' }],
  'PUT /networking/v2.0/networks/:id': [{ network: { name: 'x', description: 'y', admin_state_up: false } }],
  'POST /networking/v2.0/subnets': [
    { subnet: { network_id: '{network}', ip_version: 4, cidr: '{cidr}' } },
    {
      subnet: {
        network_id: '{network}',
        ip_version: 4,
        cidr: '10.7.0.0/24',
        gateway_ip: '10.7.0.1',
        allocation_pools: [{ start: '10.7.0.5', end: '10.7.0.99' }],
        dns_nameservers: ['9.9.9.9'],
        host_routes: [{ destination: '10.8.0.0/24', nexthop: '10.7.0.2' }],
      },
    },
    {
      subnet: {
        network_id: '{network}',
        ip_version: 6,
        cidr: 'fd00:7::/64',
        ipv6_ra_mode: 'slaac',
        ipv6_address_mode: 'slaac',
      },
    },
  ],
  'PUT /networking/v2.0/subnets/:id': [{ subnet: { name: 'x', enable_dhcp: false, dns_nameservers: [] } }],
  'POST /networking/v2.0/ports': [
    { port: { network_id: '{network}' } },
    {
      port: {
        network_id: '{network}',
        name: 'x',
        fixed_ips: [{ subnet_id: '{subnet}', ip_address: '10.7.0.44' }],
        mac_address: '02:00:00:00:00:07',
        security_groups: ['{security_group}'],
        allowed_address_pairs: [{ ip_address: '10.7.0.0/28' }],
        extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400' }],
      },
    },
  ],
  'PUT /networking/v2.0/ports/:id': [
    { port: { name: 'x', fixed_ips: [{ subnet_id: '{subnet}' }], security_groups: [], port_security_enabled: false } },
  ],
  'POST /networking/v2.0/security-groups': [{ security_group: { name: 'x', description: 'y', stateful: true } }],
  'PUT /networking/v2.0/security-groups/:id': [{ security_group: { name: 'x', description: 'z' } }],
  'POST /networking/v2.0/security-group-rules': [
    {
      security_group_rule: {
        security_group_id: '{security_group}',
        direction: 'ingress',
        ethertype: 'IPv4',
        protocol: 'tcp',
        port_range_min: 80,
        port_range_max: 90,
        remote_ip_prefix: '10.0.0.0/8',
      },
    },
  ],
  'PUT /networking/v2.0/security-group-rules/:id': [{ security_group_rule: { description: 'x' } }],
  ...Object.fromEntries(
    ['networks', 'subnets', 'ports', 'security-groups'].map((kind) => [
      `PUT /networking/v2.0/${kind}/:id/tags`,
      [{ tags: ['blue', 'red'] }],
    ]),
  ),

  'PUT /aerostat/v1/intranet': [{ intranet: { enabled: true, dry_run: false } }],
  'POST /aerostat/v1/intranet/prefixes': [{ prefix: { prefix: '10.0.0.0/8', description: 'd', reason: 'offices' } }],
  'PUT /aerostat/v1/intranet/prefixes/:id': [{ prefix: { description: 'd', reason: 'labs' } }],
  'POST /aerostat/v1/intranet/rules': [
    {
      rule: {
        source: { type: 'project', id: '{project}' },
        destination: '10.1.0.0/16',
        protocol: 'tcp',
        port_range_min: 389,
        port_range_max: 389,
        description: 'd',
        reason: 'LDAP',
        expires_at: '2030-01-01T00:00:00Z',
      },
    },
  ],
  'POST /aerostat/v1/metering/alarms': [
    { alarm: { resource_id: '{server}', meter: 'cpu.time', statistic: 'rate', comparison: 'gt', threshold: 1 } },
  ],
  'PATCH /aerostat/v1/metering/alarms/:id': [{ alarm: { name: 'n', enabled: false } }],
  'POST /aerostat/v1/webhooks/endpoints': [
    { endpoint: { url: 'https://a.example/{unique}', events: ['server.*'], description: 'd' } },
  ],
  'PATCH /aerostat/v1/webhooks/endpoints/:id': [{ endpoint: { events: ['*'], description: 'e' } }],
  'POST /aerostat/v1/webhooks/endpoints/:id/rotate': [{ secret: { type: 'hmac', overlap_s: 60 } }],
  'POST /aerostat/v1/webhooks/endpoints/:id/replay': [{ replay: { since: '2026-01-01T00:00:00Z' } }],
  'PUT /aerostat/v1/intranet/rules/:id': [{ rule: { description: 'd', reason: 'r', expires_at: null } }],
  'POST /aerostat/v1/billing/products': [
    {
      product: {
        name: '{unique}',
        item: 'server',
        item_type: '{unique}',
        order_unit: 'hours',
        order_size: 1,
        quantity_per: 1,
        interval: 'hourly',
        prepaid: false,
        currency: 'EUR',
        automatic: true,
        price: {
          effective_from: '2999-01-01T00:00:00Z',
          terms: { model: 'per_unit', unit_price: '0.1', included: '1', minimum: '1', weights: { stopped: '0.5' } },
        },
      },
    },
  ],
  'POST /aerostat/v1/billing/products/:id/prices': [
    {
      price: {
        effective_from: '2999-02-01T00:00:00Z',
        terms: {
          model: 'graduated',
          tiers: [
            { up_to: '10', unit_price: '1', flat: '1' },
            { up_to: null, unit_price: '0.5' },
          ],
        },
      },
    },
  ],
  'POST /aerostat/v1/billing/subscriptions': [
    {
      subscription: { project_id: '{project}', product_id: 'p', resource_id: 'r', resource_name: 'n', quantity: 1 },
    },
  ],
  'PATCH /aerostat/v1/billing/accounts/:id': [
    { account: { name: 'n', mode: 'prepaid', currency: 'EUR', credit_limit: '10', low_balance: null } },
  ],
  ...Object.fromEntries(
    ['deposits', 'withdrawals', 'credits'].map((kind) => [
      `POST /aerostat/v1/billing/accounts/:id/${kind}`,
      [{ movement: { amount: '1.00', currency: 'EUR', reference: '{unique}', description: 'd' } }],
    ]),
  ),
  'POST /aerostat/v1/billing/accounts/:id/vouchers': [
    {
      voucher: { amount: '1', currency: 'EUR', expires_at: '2999-01-01T00:00:00Z', reason: 'r', reference: '{unique}' },
    },
  ],
  'POST /aerostat/v1/billing/accounts/:id/budgets': [
    { budget: { name: '{unique}', amount: '10', currency: 'EUR', thresholds: [50, 100] } },
  ],
  'POST /aerostat/v1/billing/quotes': [{ quote: { item: 'server', item_type: 'm1', count: 1, quantity: 1 } }],
  'POST /rating/v1/rating/quote': [
    { resources: [{ service: 'server', desc: { flavor_name: 'm1' }, volume: '1.5' }] },
    { resources: [] },
  ],
  'PUT /rating/v2/scope': [
    { all_scopes: true, state: '2026-01-01T00:00:00+00:00' },
    { scope_id: '{project}', last_processed_timestamp: '2026-01-01T00:00:00Z' },
  ],
  ...Object.fromEntries(
    ['reprocess', 'reprocesses'].map((path) => [
      `POST /rating/v2/task/${path}`,
      [
        {
          scope_ids: ['{project}'],
          start_reprocess_time: '2026-01-01T00:00:00+00:00',
          end_reprocess_time: '2026-01-01T01:00:00+00:00',
          reason: 'r',
        },
      ],
    ]),
  ),
  'POST /aerostat/v1/join-tokens': [{ join_token: { zone: 'nova', expires_in_s: 60 } }],
  'PATCH /aerostat/v1/runners/:id': [{ runner: { state: 'disabled', reason: 'x' } }, { runner: { state: 'enabled' } }],
  'POST /aerostat/v1/runners/enrol': [
    {
      token: '{join_token_secret}',
      name: '{unique}',
      public_key: 'A'.repeat(43),
      machine_id: 'm',
      capacity: { vcpus: 1, memory_mib: 1, disk_gib: 1 },
      hypervisor: 'simulated',
      version: '1',
    },
  ],
  'POST /aerostat/v1/runners/:id/poll': [
    { session: null, frames: ['{"type":"hello"}'] },
    { session: 'x', frames: [] },
  ],
};
