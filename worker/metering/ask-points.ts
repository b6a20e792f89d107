import type { Context } from '../http/context.ts';
import type { MeterPoint, PointsAsked } from './read-points.ts';

/** Asks a machine's object for points that it keeps. */
export async function askPoints(ctx: Context, runnerId: string, asked: PointsAsked): Promise<MeterPoint[]> {
  const links = ctx.env.RUNNER_LINK;
  return links.get(links.idFromName(runnerId)).meterPoints(runnerId, asked);
}
