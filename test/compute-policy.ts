import type { ComputeCloud } from './compute-cloud.ts';
import { type Call, type Cast, castAround } from './edge-policy.ts';

/** Makers of calls for the tables of compute's policy, in a cloud that is there once the first trial runs. */
export class ComputeTrials {
  #cloud: ComputeCloud | undefined;
  readonly #open: () => Promise<ComputeCloud>;

  constructor(open: () => Promise<ComputeCloud>) {
    this.#open = open;
  }

  get cloud(): ComputeCloud {
    if (!this.#cloud) throw new Error('the cloud is not open yet');
    return this.#cloud;
  }

  /** Opens the cloud, without limits. @returns the actors around the project of its user */
  readonly cast = async (): Promise<Cast> => {
    this.#cloud = await this.#open();
    const { user, admin } = this.cloud;
    const body = { quota_class_set: { instances: -1, cores: -1, ram: -1, server_groups: -1 } };
    await this.cloud.answer('PUT', '/os-quota-class-sets/default', { body, as: admin, version: '2.90' });
    return castAround(user.projectId);
  };

  /** A call at a microversion, 2.90 by default. */
  call(method: string, path: string, body?: unknown, minor = 90): Call {
    const headers = { 'openstack-api-version': `compute 2.${minor}` };
    return { method, path: `/r/${this.cloud.region}/compute/v2.1${path}`, headers, ...(body ? { body } : {}) };
  }

  /** A maker of a call whose path is known beforehand. */
  at(method: string, path: string, body?: unknown, minor?: number): () => Call {
    return () => this.call(method, path, body, minor);
  }

  /** A maker of a call below a server that runs; `before` brings it to where the call makes sense. */
  onServer(
    method: string,
    path: string,
    body?: unknown,
    of: { minor?: number; before?: (cloud: ComputeCloud, id: string) => Promise<unknown> } = {},
  ): () => Promise<Call> {
    return async () => {
      const id = await this.cloud.createActive();
      await of.before?.(this.cloud, id);
      return this.call(method, `/servers/${id}${path}`, body, of.minor);
    };
  }

  /** A maker of an action on a server that runs. */
  action(
    body: Record<string, unknown>,
    of: { minor?: number; before?: (cloud: ComputeCloud, id: string) => Promise<unknown> } = {},
  ): () => Promise<Call> {
    return this.onServer('POST', '/action', body, of);
  }
}
