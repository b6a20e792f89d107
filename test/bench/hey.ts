import { run } from '../../runner/host/run.ts';
import { figure, note } from './figures.ts';

const LOAD_S = 10;
const CONNECTIONS = 8;

/** Loads one URL for a while and prints its rate and latencies. @returns requests a second */
export async function hey(
  name: string,
  request: {
    url: string;
    method?: string;
    headers: Record<string, string>;
    body?: string;
    expect?: number;
    load_s?: number;
  },
): Promise<number> {
  const load_s = request.load_s ?? LOAD_S;
  const headers = Object.entries({ ...request.headers, accept: 'application/json' }).flatMap(([key, value]) => [
    '-H',
    `${key}: ${value}`,
  ]);
  const body =
    request.body === undefined ? [] : ['-m', request.method ?? 'POST', '-T', 'application/json', '-d', request.body];
  const args = ['-z', `${load_s}s`, '-c', String(CONNECTIONS), '-disable-redirects', ...headers, ...body, request.url];
  const { stdout } = await run('hey', args, { timeout_ms: (load_s + 60) * 1000 });
  const codes = [...stdout.matchAll(/\[(\d{3})\]\s+(\d+) responses/g)].map(
    (match) => [Number(match[1]), Number(match[2])] as const,
  );
  const wrong = codes.filter(([code]) => code !== (request.expect ?? 200));
  if (wrong.length > 0 || codes.length === 0 || stdout.includes('Error distribution'))
    note(`${name} NOT CLEAN ${JSON.stringify(codes)}`);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  figure(`${name}_rps`, rate, 'req/s');
  figure(`${name}_median`, Number(/50%+ in ([\d.]+) secs/.exec(stdout)?.[1]) * 1000, 'ms');
  figure(`${name}_p95`, Number(/95%+ in ([\d.]+) secs/.exec(stdout)?.[1]) * 1000, 'ms');
  return rate;
}
