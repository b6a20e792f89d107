import { z } from 'zod';
import type { Capacity } from '../../shared/protocol/messages.ts';
import { Refusal } from '../../shared/refusal.ts';
import { RUNNER_VERSION } from '../config.ts';
import { errorText } from '../log.ts';

const ENROL_TIMEOUT_MS = 30_000;

const answer = z.object({ runner: z.object({ id: z.string(), region: z.string(), edge_url: z.string().optional() }) });
const faultBody = z.object({ error: z.object({ message: z.string() }) });

export interface Enrolment {
  token: string;
  name: string;
  publicKey: string;
  machineId: string;
  capacity: Capacity;
  hypervisor: string;
}

/** A URL as the edge is called: http or https, without a slash at the end. @throws Refusal */
export function edgeUrlOf(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new Refusal(`${text} is no URL of an edge: https://cloud.example.com.`);
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/**
 * Asks the edge to let this machine join. Asking again with the same key and token is safe.
 * @throws Refusal where the edge refuses or cannot be reached
 */
export async function enrol(edgeUrl: string, who: Enrolment): Promise<z.infer<typeof answer>['runner']> {
  const response = await post(`${edgeUrl}/aerostat/v1/runners/enrol`, edgeUrl, {
    token: who.token,
    name: who.name,
    public_key: who.publicKey,
    machine_id: who.machineId,
    capacity: who.capacity,
    hypervisor: who.hypervisor,
    version: RUNNER_VERSION,
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) {
    const parsed = answer.safeParse(body);
    if (parsed.success) return parsed.data.runner;
    throw new Refusal(`${edgeUrl} did not answer as an Aerostat edge does: check the URL.`);
  }
  const fault = faultBody.safeParse(body);
  const said = fault.success ? fault.data.error.message : `HTTP ${response.status}`;
  if (response.status === 401) throw new Refusal(`The edge refused the token: ${said}`);
  if (response.status === 404 && !fault.success)
    throw new Refusal(`${edgeUrl} is no Aerostat edge (HTTP 404): check the URL.`);
  throw new Refusal(`The edge refused to let this machine join: ${said}`);
}

async function post(url: string, edgeUrl: string, body: unknown): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ENROL_TIMEOUT_MS),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause ? error.cause : error;
    const code = (cause as { code?: unknown }).code;
    const why = typeof code === 'string' ? code : errorText(cause);
    throw new Refusal(
      `${edgeUrl} cannot be reached (${why}): check the URL and this machine's way to it, then try again.`,
    );
  }
}
