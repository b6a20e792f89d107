import { commit } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import { planServerPorts } from '../../network/server-ports.ts';
import type { NewServer } from './new-server.ts';
import { admission, type Chance, CREATE_ACTION, draftServer, type Order } from './place-server.ts';
import { insertServer, unscheduled } from './plan-server.ts';

/**
 * Writes the rows of several servers that one request makes, not yet placed: quotas hold for all of them at once, and a
 * client that is told of them finds them.
 * @throws ApiError as `createServers`; AssertionFailed `quota` and `group-members`
 */
export async function reserveServers(
  ctx: ProjectContext,
  wanted: NewServer,
  orders: readonly Order[],
  { random }: Chance,
): Promise<void> {
  const [first] = orders;
  if (!first) return;
  const { blueprint, ports, found } = await draftServer(ctx, wanted, first, random);
  // What is wrong with the networks asked for is refused before anything is promised.
  await planServerPorts(ctx, ports, found.portRows, '', random);
  const ids = orders.map(({ id }) => id);
  await commit(ctx, {
    audit: { action: CREATE_ACTION, targetType: 'server', targetId: first.id, detail: { name: wanted.name, ids } },
    statements: [
      ...admission(ctx, blueprint, ids),
      ...orders.map((order) =>
        insertServer(
          ctx,
          { ...blueprint, ...order, launchIndex: order.index, name: `${wanted.name}-${order.index + 1}` },
          unscheduled(ctx, blueprint),
        ),
      ),
    ],
  });
}
