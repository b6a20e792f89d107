import { sql } from 'drizzle-orm';
import { runners } from '../../db/schema/fleet.ts';
import { type ApiClient, login } from '../../home/api-client.ts';
import { loadSecrets } from '../../home/secrets.ts';
import { until } from '../../home/until.ts';
import { type Cloud, REGION, startCloud } from '../cloud.ts';
import { type Fill, filled } from './bodies.ts';
import type { Corpus } from './corpus.ts';
import { eachObject } from './kinds.ts';
import { Pool } from './pool.ts';
import { SENDERS, type Sender } from './requests.ts';
import { nameOf } from './routes.ts';
import { type Answer, send } from './send.ts';

const SETUP_DEADLINE_MS = 60_000;
const IMPORTS_TIMEOUT_MS = 60_000;
const LEASE_MS = 3_600_000;
/** Bodies of one route that a tenant makes things with. */
const BODIES_MAX = 3;
const SERVICES = ['networking', 'image', 'compute', 'identity'];

/** What some paths name by a word. */
const WORDS: Readonly<Record<string, string>> = {
  schema: 'image',
  metadef: 'namespace',
  config: 'ldap',
  group_name: 'ldap',
  option: 'url',
  rule_type: 'bandwidth_limit',
  instance_usage_audit_log: '2026-01-01 00:00:00',
};

const logInAdmin = ({ url, paths }: Cloud): Promise<ApiClient> =>
  login(`${url}/identity/v3`, { user: 'admin', password: loadSecrets(paths.secrets).adminPassword, project: 'admin' });

/** A project with its users, and what is known to be theirs. */
export interface Tenant {
  projectId: string;
  tokens: Partial<Record<Sender, string>>;
  pool: Pool;
}

/** A cloud with two tenants: all that `other` has is called by a word that nobody else may ever be told. */
export class World {
  readonly cloud: Cloud;
  readonly secret = `secret${crypto.randomUUID().replaceAll('-', '')}`;
  /** Whose tokens were refused that were good before: they have gone, or a role has that the tokens named. */
  readonly gone = new Set<'own' | 'admin'>();
  /** What did what was asked while things were made. */
  readonly did = new Set<string>();
  readonly #corpus: Corpus;
  #admin: ApiClient;
  readonly #hostId = crypto.randomUUID();
  /** One that requests may remove. */
  readonly #spareHostId = crypto.randomUUID();
  #roles: Record<string, string> = {};
  /** The network that routers have their gateways on. */
  #outside = '';
  own!: Tenant;
  other!: Tenant;

  private constructor(cloud: Cloud, corpus: Corpus) {
    this.cloud = cloud;
    this.#admin = cloud.admin;
    this.#corpus = corpus;
  }

  static async open(corpus: Corpus): Promise<World> {
    const cloud = await startCloud();
    const world = new World(cloud, corpus);
    await world.#addHost(world.#hostId, 'host-1');
    await world.#addHost(world.#spareHostId, 'host-2');
    const { roles } = JSON.parse((await world.#ask('GET', '/identity/v3/roles')).text);
    world.#roles = Object.fromEntries(roles.map((one: { id: string; name: string }) => [one.name, one.id]));
    // Neutron makes a project's default group when it is first asked.
    await world.#ask('GET', '/networking/v2.0/security-groups');
    await world.#makeOutside();
    world.other = await world.#newTenant(world.secret);
    world.own = await world.#newTenant('own');
    return world;
  }

  /** Whether a request would take from the administrator, or from what all roles mean, what later requests need. */
  isPrecious(method: string, path: string): boolean {
    if (method === 'GET') return false;
    const { userId, projectId } = this.cloud.admin;
    if ([userId, projectId, 'domains/default'].some((part) => path.includes(part))) return true;
    return Object.values(this.#roles).some((id) => path.startsWith(`/identity/v3/roles/${id}`));
  }

  tokenOf(sender: Sender): string | undefined {
    return sender === 'admin' ? this.#admin.token : this.own.tokens[sender];
  }

  /**
   * Puts right what requests may have left: servers in all states, limits, a tenant that was removed.
   * @returns the ids of servers that are of no more use, as they are on no host
   */
  async heal(): Promise<string[]> {
    const { db } = this.cloud.edge;
    await db.batch([
      db.run(sql`UPDATE servers SET vm_state = 'active', task_state = NULL, task_deadline_ms = NULL, locked_by = NULL, power_state = 1, launched_at_ms = coalesce(launched_at_ms, 1)
        WHERE deleted_at_ms IS NULL`),
      // Else the region's watch ends them when their time is over, which is no request's doing.
      db.run(sql`DELETE FROM operations`),
      db.run(sql`DELETE FROM server_migrations`),
      db.run(sql`DELETE FROM quotas`),
      db.run(sql`DELETE FROM quota_classes`),
      db.run(sql`DELETE FROM network_quotas`),
      db.run(
        sql`UPDATE runners SET state = 'enabled', connected = 1 WHERE id IN (${this.#hostId}, ${this.#spareHostId})`,
      ),
    ]);
    await this.#addHost(this.#spareHostId, 'host-2');
    const unplaced = sql`SELECT id FROM servers WHERE deleted_at_ms IS NULL AND runner_id IS NULL`;
    const lost = (await db.all<{ id: string }>(unplaced)).map(({ id }) => id);
    for (const id of lost) this.own.pool.remove(id);
    if (this.gone.has('admin')) this.#admin = await logInAdmin(this.cloud);
    if (this.gone.has('own')) {
      const { pool } = this.own;
      this.own = await this.#newTenant('own');
      this.own.pool.inherit(pool);
    }
    this.gone.clear();
    return lost;
  }

  /** Waits until no import is under way: it writes when it likes. */
  settled(): Promise<unknown> {
    const open = sql`SELECT 1 FROM image_tasks WHERE status IN ('pending', 'processing')`;
    return until('imports to end', IMPORTS_TIMEOUT_MS, async () => (await this.cloud.edge.db.all(open)).length === 0);
  }

  /** Makes again what there is none left of. */
  async replenish(kind: string): Promise<void> {
    if (kind !== '' && !this.own.pool.has(kind)) await this.#make(this.own, 'own', kind);
  }

  async #newTenant(word: string): Promise<Tenant> {
    const name = () => `${word}-${crypto.randomUUID().slice(0, 8)}`;
    const pool = new Pool();
    const make = async (path: string, kind: string, values: object): Promise<string> => {
      const answer = await this.#ask('POST', `/identity/v3${path}`, { [kind]: values });
      if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${answer.text}`);
      const { id } = JSON.parse(answer.text)[kind];
      pool.add(kind, id);
      return id;
    };
    const domain_id = await make('/domains', 'domain', { name: name() });
    const projectId = await make('/projects', 'project', { name: name(), domain_id });
    const tokens: Tenant['tokens'] = {};
    for (const sender of SENDERS.filter((one) => one !== 'admin' && one !== 'unscoped' && one !== 'nobody')) {
      const password = crypto.randomUUID();
      const id = await make('/users', 'user', { name: name(), password, domain_id });
      await this.#ask('PUT', `/identity/v3/projects/${projectId}/users/${id}/roles/${this.#roles[sender]}`);
      tokens[sender] = await this.#login(id, password, { project: { id: projectId } });
      if (sender !== 'member') continue;
      tokens.unscoped = await this.#login(id, password, 'unscoped');
      pool.add('spare_token', await this.#login(id, password, { project: { id: projectId } }));
    }
    pool.add('token', tokens.member ?? '');
    // What is named by words, and not by ids that were given.
    for (const kind of ['tag', 'key']) pool.add(kind, 'blue');
    pool.add('external_network', this.#outside);
    for (const kind of ['host', 'hypervisor']) pool.add(kind, 'host-1');
    for (const kind of ['hypervisor', 'compute_service', 'runner', 'agent']) pool.add(kind, this.#spareHostId);
    // Such as may be asked for by everybody.
    for (const kind of ['metadata', 'extra_spec', 'ip']) pool.add(kind, 'blue');
    for (const [kind, word] of Object.entries(WORDS)) pool.add(kind, word);
    pool.add('member', projectId);
    // The account that pays for the token's project.
    pool.add('account', 'own');
    for (const role of ['reader', 'member']) pool.add('role', this.#roles[role] ?? '');
    const tenant = { projectId, tokens, pool };
    await this.#make(tenant, word);
    return tenant;
  }

  /** Has a tenant make one or more of each thing that the corpus knows how to make, or of one kind. */
  async #make(tenant: Tenant, word: string, kind?: string): Promise<void> {
    const { pool } = tenant;
    const token = tenant.tokens.member;
    const fill: Fill = (wanted) => pool.pick(wanted, 0) ?? crypto.randomUUID();
    const mark = (text: string, key: string) =>
      key === 'name' || key === 'description' ? `${word}-${crypto.randomUUID().slice(0, 8)}` : text;
    if (!pool.has('image') || kind === 'image') await this.#makeImage(tenant, word);
    if (!pool.has('flavor') || kind === 'flavor') {
      const flavor = { name: `flavor-${crypto.randomUUID()}`, ram: 1, vcpus: 1, disk: 1 };
      this.#learn(pool, await this.#ask('POST', '/compute/v2.1/flavors', { flavor }), 'flavors');
    }
    // What is made of other things finds them the second time.
    for (const _ of [1, 2]) {
      for (const service of SERVICES) {
        for (const [name, bodies] of Object.entries(this.#corpus)) {
          const [method, path = ''] = name.split(' ');
          if (method !== 'POST' || !path.startsWith(`/${service}/`) || path.includes(':') || path.includes('/v2/'))
            continue;
          if (path.includes('/auth/')) continue;
          for (const body of bodies.slice(0, BODIES_MAX)) {
            if (kind !== undefined && !Object.hasOwn(body as object, kind)) continue;
            const made = await this.#ask('POST', path, filled(body, fill, mark), token);
            this.#learn(pool, made, path);
            if (made.status === 403 && word === 'own')
              this.#learn(pool, await this.#ask('POST', path, filled(body, fill, mark)), path);
          }
        }
      }
    }
  }

  /** An image with data that says whose it is. */
  async #makeImage({ pool, tokens }: Tenant, word: string): Promise<void> {
    const image = { name: `${word}-image`, disk_format: 'raw', container_format: 'bare', note: word, tags: [word] };
    const made = await this.#ask('POST', '/image/v2/images', image, tokens.member);
    this.#learn(pool, made, 'images');
    const headers = { 'content-type': 'application/octet-stream' };
    await this.#ask(
      'PUT',
      `/image/v2/images/${JSON.parse(made.text).id}/file`,
      Buffer.from(word),
      tokens.member,
      headers,
    );
  }

  #learn(pool: Pool, { status, text }: Answer, path: string): void {
    if (status < 300 && text !== '') eachObject(JSON.parse(text), path, (kind, { id }) => pool.add(kind, id));
  }

  async #login(id: string, password: string, scope: unknown): Promise<string> {
    const identity = { methods: ['password'], password: { user: { id, password } } };
    const { headers, status, text } = await this.#ask(
      'POST',
      '/identity/v3/auth/tokens',
      { auth: { identity, scope } },
      '',
    );
    const token = headers['x-subject-token'];
    if (typeof token !== 'string') throw new Error(`log-in: ${status} ${text}`);
    return token;
  }

  /** A request that is as it should be; as the administrator, unless another token is given. */
  async #ask(
    method: string,
    path: string,
    body?: unknown,
    token = this.#admin.token,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<Answer> {
    const bytes = body === undefined || body instanceof Buffer ? body : Buffer.from(JSON.stringify(body));
    const version = { 'openstack-api-version': 'compute 2.60' };
    const all = { ...headers, ...version, ...(token ? { 'x-auth-token': token } : {}) };
    const wire = { method, path, headers: all, body: bytes as Buffer | undefined };
    const answer = await send(this.cloud.url, wire, SETUP_DEADLINE_MS);
    if (answer.status < 300) this.did.add(nameOf({ method, path }));
    return answer;
  }

  async #makeOutside(): Promise<void> {
    const network = { name: 'outside', 'router:external': true };
    const made = await this.#ask('POST', '/networking/v2.0/networks', { network });
    if (made.status !== 201) throw new Error(`outside: ${made.status} ${made.text}`);
    this.#outside = JSON.parse(made.text).network.id;
    const subnet = { network_id: this.#outside, ip_version: 4, cidr: '198.18.0.0/16', enable_dhcp: false };
    await this.#ask('POST', '/networking/v2.0/subnets', { subnet });
  }

  /** A machine that is only a row: it takes servers, and says nothing of them. */
  async #addHost(id: string, name: string): Promise<void> {
    const nowMs = Date.now();
    const room = { vcpus: 10_000, memoryMib: 10_000_000, diskGib: 10_000 };
    const row: typeof runners.$inferInsert = {
      ...{ id, region: REGION, name, zone: 'nova', publicKey: 'k', machineId: name },
      ...{
        state: 'enabled',
        connected: true,
        hypervisor: 'simulated',
        lastSeenAtMs: nowMs,
        leaseExpiresAtMs: nowMs + LEASE_MS,
      },
      ...room,
      ...{ vcpusAllocatable: room.vcpus, memoryMibAllocatable: room.memoryMib, diskGibAllocatable: room.diskGib },
      ...{ createdAtMs: nowMs, updatedAtMs: nowMs },
    };
    await this.cloud.edge.db.insert(runners).values(row).onConflictDoNothing();
  }
}
