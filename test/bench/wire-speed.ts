import { eventually, type Namespace } from '../machine/namespaces.ts';

const RUN_S = 2;
const SMALL_BYTES = 64;
const PINGS = 2_000;

interface Iperf {
  error?: string;
  end: { sum_received?: { bits_per_second: number }; sum?: { packets: number; lost_packets: number; seconds: number } };
}

/** Bits a second of one TCP connection to an iperf3 server. */
export async function throughput(from: Namespace, address: string): Promise<number> {
  return (await iperf(from, address, '')).end.sum_received?.bits_per_second ?? 0;
}

/** Small UDP packets a second that arrive there. */
export async function packetRate(from: Namespace, address: string): Promise<number> {
  const { sum } = (await iperf(from, address, `-u -b 0 -l ${SMALL_BYTES}`)).end;
  return sum ? (sum.packets - sum.lost_packets) / RUN_S : 0;
}

/** Asks again while the server still tidies up after the run before. */
function iperf(from: Namespace, address: string, flags: string): Promise<Iperf> {
  return eventually('a run of iperf3', async () => {
    const run = JSON.parse(await from.sh(`iperf3 -J -c ${address} -t ${RUN_S} ${flags} || true`)) as Iperf;
    return run.error === undefined && run;
  });
}

/** Seconds that a ping there and back takes, on average of many. */
export async function roundTrip(from: Namespace, address: string): Promise<number> {
  const said = await from.sh(`ping -q -f -c ${PINGS} ${address}`);
  const [, average] = /= [\d.]+\/([\d.]+)\//.exec(said) ?? [];
  return Number(average) / 1000;
}
