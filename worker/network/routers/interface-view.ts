import { createValues, unset } from '../api/attributes.ts';
import { BadValue, uuid } from '../api/values.ts';
import { badRouter } from './faults.ts';
import type { RouterRow } from './router-rows.ts';

/** Which interface a request is about. */
export interface WantedInterface {
  subnetId: string | undefined;
  portId: string | undefined;
}

/** @throws ApiError 400 nothing named, or not by id */
export function parseInterface(sent: Record<string, unknown>): WantedInterface {
  const { subnet_id: subnetId, port_id: portId } = createValues(
    { subnet_id: unset((value) => value), port_id: unset((value) => value) },
    sent,
  );
  if (subnetId === undefined && portId === undefined) throw badRouter('Either subnet_id or port_id must be specified');
  return { subnetId: idOf(subnetId), portId: idOf(portId) };
}

function idOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  try {
    return uuid(value);
  } catch (error) {
    throw error instanceof BadValue ? badRouter(error.message) : error;
  }
}

/** An interface as Neutron answers with it. @param subnetIds - of the subnets that were added or removed */
export const interfaceView = (
  router: Pick<RouterRow, 'id' | 'projectId'>,
  port: { id: string; networkId: string },
  subnetIds: string[],
) => ({
  id: router.id,
  tenant_id: router.projectId,
  port_id: port.id,
  network_id: port.networkId,
  subnet_id: subnetIds.at(-1) ?? null,
  subnet_ids: subnetIds,
});
export type InterfaceView = ReturnType<typeof interfaceView>;
