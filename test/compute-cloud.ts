import { and, eq } from 'drizzle-orm';
import { flavors, servers } from '../db/schema/compute.ts';
import { desired, operations, runners } from '../db/schema/fleet.ts';
import { images } from '../db/schema/image.ts';
import type { Observation } from '../shared/protocol/messages.ts';
import type { ServerSpec } from '../shared/specs/server.ts';
import { recordObserved } from '../worker/fleet/link/record-observed.ts';
import { recordOperation } from '../worker/fleet/link/record-operation.ts';
import type { Context } from '../worker/http/context.ts';
import { call } from './edge-client.ts';
import { edgeContext } from './edge-context.ts';
import { type Actor, mintActor } from './edge-tokens.ts';

const LEASE_MS = 600_000;

/** A server of an answer, as far as tests look into it. */
export interface Server {
  id: string;
  name: string;
  status: string;
  fault?: { code: number; message: string; details?: string };
  [member: string]: unknown;
}

/** A region of the test's own, so that no other test's machines and servers are in it. */
export class ComputeCloud {
  readonly region = `c${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`;
  readonly ctx: Context = edgeContext({ region: this.region });
  readonly user: Actor;
  readonly admin: Actor;
  imageId = '';
  flavorId = '';

  private constructor(user: Actor, admin: Actor) {
    this.user = user;
    this.admin = admin;
  }

  /** A region with an image and a flavor of 1 vCPU, 512 MiB and 1 GiB. */
  static async open(): Promise<ComputeCloud> {
    const cloud = new ComputeCloud(await mintActor('member'), await mintActor('admin'));
    cloud.imageId = await cloud.addImage();
    cloud.flavorId = await cloud.addFlavor();
    return cloud;
  }

  async addImage(of: Partial<typeof images.$inferInsert> = {}): Promise<string> {
    const id = crypto.randomUUID();
    const nowMs = Date.now();
    await this.ctx.db.insert(images).values({
      id,
      region: this.region,
      projectId: this.admin.projectId,
      name: 'guest',
      status: 'active',
      visibility: 'public',
      containerFormat: 'bare',
      diskFormat: 'qcow2',
      sizeBytes: 1_000_000,
      virtualSizeBytes: 10_000_000,
      sha256: 'a'.repeat(64),
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      ...of,
    });
    return id;
  }

  async addFlavor(of: Partial<typeof flavors.$inferInsert> = {}): Promise<string> {
    const id = crypto.randomUUID();
    const size = { vcpus: 1, ramMib: 512, diskGib: 1 };
    await this.ctx.db
      .insert(flavors)
      .values({ id, region: this.region, name: `f-${id}`, ...size, createdAtMs: Date.now(), ...of });
    return id;
  }

  /** A machine that is connected and has room for ten servers of the flavor, but for what is said otherwise. */
  async addRunner(of: Partial<typeof runners.$inferInsert> = {}): Promise<string> {
    const id = crypto.randomUUID();
    const nowMs = Date.now();
    await this.ctx.db.insert(runners).values({
      id,
      region: this.region,
      name: `host-${id}`,
      zone: 'nova',
      publicKey: 'k',
      machineId: id,
      state: 'enabled',
      connected: true,
      lastSeenAtMs: nowMs,
      leaseExpiresAtMs: nowMs + LEASE_MS,
      hypervisor: 'simulated',
      tunnelIp: '192.0.2.1',
      vcpus: 10,
      memoryMib: 5_120,
      diskGib: 10,
      vcpusAllocatable: 10,
      memoryMibAllocatable: 5_120,
      diskGibAllocatable: 10,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      ...of,
    });
    return id;
  }

  /** Calls the region's compute API at a version; as its user, unless another token is given. */
  call(
    method: string,
    path: string,
    options: { body?: unknown; as?: Actor; version?: string; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const { body, as = this.user, version, headers = {} } = options;
    return call(method, `/r/${this.region}/compute/v2.1${path}`, {
      token: as.token,
      ...(body === undefined ? {} : { body }),
      headers: { ...(version ? { 'openstack-api-version': `compute ${version}` } : {}), ...headers },
    });
  }

  /** The answer's body, where its status is the one expected. */
  async answer<T>(
    method: string,
    path: string,
    options: Parameters<ComputeCloud['call']>[2] & { status?: number } = {},
  ): Promise<T> {
    const { status = 200 } = options;
    const response = await this.call(method, path, options);
    const text = await response.text();
    if (response.status !== status) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  }

  /** Asks for a server without networks. @returns its id */
  async create(body: Record<string, unknown> = {}, as: Actor = this.user, version = '2.37'): Promise<string> {
    const server = { name: 's', imageRef: this.imageId, flavorRef: this.flavorId, networks: 'none', ...body };
    const created = await this.answer<{ server: { id: string } }>('POST', '/servers', {
      body: { server },
      as,
      version,
      status: 202,
    });
    return created.server.id;
  }

  /** The status and message of a create that is refused. */
  async refusal(
    server: Record<string, unknown>,
    of: { as?: Actor; version?: string; hints?: object } = {},
  ): Promise<[number, string | undefined]> {
    const { as = this.user, version = '2.37', hints } = of;
    const whole = { name: 's', imageRef: this.imageId, flavorRef: this.flavorId, networks: 'none', ...server };
    const body = { server: whole, ...(hints ? { 'os:scheduler_hints': hints } : {}) };
    const response = await this.call('POST', '/servers', { body, as, version });
    const [fault] = Object.values((await response.json()) as Record<string, { message: string }>);
    return [response.status, fault?.message];
  }

  /** Makes something of the network API's. */
  async make<T>(path: string, body: unknown, { token }: Actor = this.user): Promise<T> {
    const response = await call('POST', `/r/${this.region}/networking/v2.0/${path}`, { token, body });
    if (response.status !== 201) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** A network with one subnet: the user's, and a VXLAN, unless an admin makes it otherwise. */
  async addNetwork(
    cidr = '10.9.0.0/24',
    { as = this.user, ...of }: { as?: Actor } & Record<string, unknown> = {},
  ): Promise<{ networkId: string; subnetId: string }> {
    const { network } = await this.make<{ network: { id: string } }>(
      'networks',
      { network: { name: 'private', ...of } },
      as,
    );
    const subnet = { network_id: network.id, ip_version: 4, cidr };
    const made = await this.make<{ subnet: { id: string } }>('subnets', { subnet }, as);
    return { networkId: network.id, subnetId: made.subnet.id };
  }

  async show(id: string, as: Actor = this.user, version = '2.90'): Promise<Server> {
    return (await this.answer<{ server: Server }>('GET', `/servers/${id}`, { as, version })).server;
  }

  /** An action, whose answer is 202. */
  async act(id: string, body: Record<string, unknown>, as: Actor = this.user): Promise<void> {
    await this.answer('POST', `/servers/${id}/action`, { body, as, status: 202 });
  }

  async row(id: string): Promise<typeof servers.$inferSelect> {
    const [row] = await this.ctx.db.select().from(servers).where(eq(servers.id, id));
    if (!row) throw new Error(`no server ${id}`);
    return row;
  }

  async runner(id: string): Promise<typeof runners.$inferSelect> {
    const [row] = await this.ctx.db.select().from(runners).where(eq(runners.id, id));
    if (!row) throw new Error(`no runner ${id}`);
    return row;
  }

  /** What the runner is told of a server; undefined where nothing. */
  async wish(id: string): Promise<(typeof desired.$inferSelect & { spec: ServerSpec | null }) | undefined> {
    const [row] = await this.ctx.db
      .select()
      .from(desired)
      .where(and(eq(desired.kind, 'server'), eq(desired.id, id)));
    return row as (typeof desired.$inferSelect & { spec: ServerSpec | null }) | undefined;
  }

  /** The server's runner reports on it, about the wish as it is or about another generation. */
  async observe(
    id: string,
    of: Omit<Observation, 'kind' | 'id' | 'generation'> & { generation?: number },
  ): Promise<void> {
    const wish = await this.wish(id);
    if (!wish) throw new Error(`nothing is wished of ${id}`);
    await recordObserved(this.ctx, wish.runnerId, [{ kind: 'server', id, generation: wish.generation, ...of }]);
  }

  /** The server's runner reports the end of an operation. */
  async ended(
    runnerId: string,
    opId: string,
    state: 'done' | 'failed',
    fault?: { code: number; message: string },
  ): Promise<void> {
    const update = { type: 'operation-update' as const, op_id: opId, state, ...(fault ? { fault } : {}) };
    await recordOperation(this.ctx, runnerId, update);
  }

  /** The server's runner has sent the image that it was last asked for. @returns its id */
  async copied(id: string): Promise<string> {
    const asked = await this.ctx.db.select().from(operations).where(eq(operations.targetId, id));
    const open = asked.find((one) => one.kind === 'snapshot' && (one.state === 'queued' || one.state === 'accepted'));
    if (!open) throw new Error(`no image is asked of ${id}`);
    const imageId = String(open.args.image_id);
    const data = {
      sizeBytes: 1_000_000,
      virtualSizeBytes: 10_000_000,
      sha256: 'd'.repeat(64),
      blobKey: `b/${imageId}`,
    };
    await this.ctx.db
      .update(images)
      .set({ status: 'active', ...data })
      .where(eq(images.id, imageId));
    await this.ended(open.runnerId, open.opId, 'done');
    return imageId;
  }

  /** Writes into a server's row. */
  async put(id: string, row: Partial<typeof servers.$inferInsert>): Promise<void> {
    await this.ctx.db.update(servers).set(row).where(eq(servers.id, id));
  }

  /** A server that runs. */
  async createActive(body: Record<string, unknown> = {}, as: Actor = this.user): Promise<string> {
    const id = await this.create(body, as);
    await this.observe(id, { state: 'running' });
    return id;
  }
}
