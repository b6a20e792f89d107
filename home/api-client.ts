import { Refusal } from '../shared/refusal.ts';

const REQUEST_TIMEOUT_MS = 120_000;

/** The public API as any client sees it: a token, the catalog's URLs, JSON. */
export interface ApiClient {
  token: string;
  projectId: string;
  userId: string;
  /** Calls a service by its catalog type; `path` starts with a slash. @throws ApiFailure on any status above 399 */
  call<T = Record<string, unknown>>(
    service: string,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<T>;
  urlOf(service: string): string;
}

/** An answer above 399, with what the service said. */
export class ApiFailure extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface TokenBody {
  token: {
    user: { id: string };
    project: { id: string };
    catalog: { type: string; endpoints: { interface: string; url: string; region: string }[] }[];
  };
}

/** Logs in with a password, scoped to a project of the default domain. @throws Refusal when the credentials are refused */
export async function login(
  authUrl: string,
  who: { user: string; password: string; project: string },
): Promise<ApiClient> {
  const domain = { id: 'default' };
  const response = await fetch(`${authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: { methods: ['password'], password: { user: { name: who.user, domain, password: who.password } } },
        scope: { project: { name: who.project, domain } },
      },
    }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const token = response.headers.get('x-subject-token');
  if (response.status !== 201 || !token)
    throw new Refusal(`login of ${who.user} at ${authUrl} was refused: ${response.status} ${await response.text()}`);
  const body = (await response.json()) as TokenBody;
  const urls = new Map(
    body.token.catalog.map((service) => [
      service.type,
      service.endpoints.find((one) => one.interface === 'public')?.url ?? '',
    ]),
  );
  const urlOf = (service: string) => {
    const url = urls.get(service);
    if (!url) throw new Refusal(`the catalog has no ${service} service`);
    return url.replace(/\/$/, '');
  };
  return {
    token,
    projectId: body.token.project.id,
    userId: body.token.user.id,
    urlOf,
    async call<T>(service: string, method: string, path: string, json?: unknown, headers: Record<string, string> = {}) {
      const streamed = json instanceof ReadableStream || json instanceof Uint8Array;
      const answer = await fetch(urlOf(service) + path, {
        method,
        headers: {
          'x-auth-token': token,
          ...(json === undefined || streamed ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json === undefined ? {} : { body: streamed ? (json as BodyInit) : JSON.stringify(json) }),
        ...(json instanceof ReadableStream ? { duplex: 'half' as const } : {}),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const text = await answer.text();
      if (answer.status >= 400)
        throw new ApiFailure(answer.status, `${method} ${service}${path}: ${answer.status} ${text.slice(0, 500)}`);
      return (text ? JSON.parse(text) : {}) as T;
    },
  };
}
