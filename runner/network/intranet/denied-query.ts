import { deniedQuery } from '../../../shared/specs/intranet.ts';
import type { Operator } from '../../driver.ts';
import type { IntranetWatch } from './intranet-watch.ts';

/** An operator that also answers what guests were denied: `denied` {project_id?, server_id?, port_id?} -> {flows}. */
export function withDenied(operator: Operator, intranet: IntranetWatch): Operator {
  return {
    run: (operation, hooks) => operator.run(operation, hooks),
    query: async (query) =>
      query.kind === 'denied' ? intranet.denied.answer(deniedQuery.parse(query.args)) : operator.query(query),
  };
}
