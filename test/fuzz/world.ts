import { sql } from 'drizzle-orm';
import { runners } from '../../db/schema/fleet.ts';
import { type Cloud, REGION, startCloud } from '../cloud.ts';
import { type Fill, filled } from './bodies.ts';
import type { Corpus } from './corpus.ts';
import { eachObject } from './kinds.ts';
import { Pool } from './pool.ts';
import { SENDERS, type Sender } from './requests.ts';
import { type Answer, send } from './send.ts';

const SETUP_DEADLINE_MS = 60_000;
const LEASE_MS = 3_600_000;
/** Bodies of one route that a tenant makes things with. */
const BODIES_MAX = 3;
const SERVICES = ['networking', 'image', 'compute', 'identity'];

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
  /** A token was refused that was good before: someone has gone. */
  ownIsGone = false;
  readonly #corpus: Corpus;
  readonly #hostId = crypto.randomUUID();
  #roles: Record<string, string> = {};
  own!: Tenant;
  other!: Tenant;

  private constructor(cloud: Cloud, corpus: Corpus) {
    this.cloud = cloud;
    this.#corpus = corpus;
  }

  static async open(corpus: Corpus): Promise<World> {
    const cloud = await startCloud();
    const world = new World(cloud, corpus);
    await world.#addHost();
    const { roles } = JSON.parse((await world.#ask('GET', '/identity/v3/roles')).text);
    world.#roles = Object.fromEntries(roles.map((one: { id: string; name: string }) => [one.name, one.id]));
    // Neutron makes a project's default group when it is first asked.
    await world.#ask('GET', '/networking/v2.0/security-groups');
    world.other = await world.#newTenant(world.secret);
    world.own = await world.#newTenant('own');
    return world;
  }

  tokenOf(sender: Sender): string | undefined {
    return sender === 'admin' ? this.cloud.admin.token : this.own.tokens[sender];
  }

  /** Puts right what requests may have left: servers in all states, limits, a tenant that was removed. */
  async heal(): Promise<void> {
    const { db } = this.cloud.edge;
    await db.batch([
      db.run(sql`UPDATE servers SET vm_state = 'active', task_state = NULL, task_deadline_ms = NULL, locked_by = NULL, power_state = 1
        WHERE deleted_at_ms IS NULL`),
      db.run(sql`DELETE FROM quotas`),
      db.run(sql`DELETE FROM quota_classes`),
      db.run(sql`UPDATE runners SET state = 'enabled', connected = 1 WHERE id = ${this.#hostId}`),
    ]);
    if (this.ownIsGone) this.own = await this.#newTenant('own');
    this.ownIsGone = false;
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
      if (sender === 'member') tokens.unscoped = await this.#login(id, password, 'unscoped');
    }
    pool.add('token', tokens.member ?? '');
    // What is named by words, and not by ids that were given.
    for (const kind of ['tag', 'key']) pool.add(kind, 'blue');
    for (const kind of ['hypervisor', 'service', 'runner', 'host']) pool.add(kind, this.#hostId);
    pool.add('member', projectId);
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
        for (const [name, { bodies }] of Object.entries(this.#corpus)) {
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
  #ask(
    method: string,
    path: string,
    body?: unknown,
    token = this.cloud.admin.token,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<Answer> {
    const bytes = body === undefined || body instanceof Buffer ? body : Buffer.from(JSON.stringify(body));
    const version = { 'openstack-api-version': 'compute 2.60' };
    const all = { ...headers, ...version, ...(token ? { 'x-auth-token': token } : {}) };
    return send(this.cloud.url, { method, path, headers: all, body: bytes as Buffer | undefined }, SETUP_DEADLINE_MS);
  }

  /** A machine that is only a row: it takes servers, and says nothing of them. */
  async #addHost(): Promise<void> {
    const nowMs = Date.now();
    const room = { vcpus: 10_000, memoryMib: 10_000_000, diskGib: 10_000 };
    await this.cloud.edge.db.insert(runners).values({
      ...{ id: this.#hostId, region: REGION, name: 'host-1', zone: 'nova', publicKey: 'k', machineId: 'm' },
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
    });
  }
}
