import { badRequest } from '../../http/errors.ts';
import type { Updated } from '../api/attributes.ts';
import type { forwardAttributes, PortRange } from './attributes.ts';
import type { ForwardRow } from './forward-view.ts';

type Sent = Updated<typeof forwardAttributes>;
export type ForwardPlan = Omit<ForwardRow, 'id' | 'internalIpAddress'>;

export const badForward = (message: string) => badRequest(`Bad port_forwarding request: ${message}.`, 'BadRequest');

/** The ports that are said, on one side; undefined where nothing is. @throws ApiError 400 for both ways of saying it at once */
function sentRange(side: 'internal' | 'external', one: number | null | undefined, range: PortRange | null | undefined) {
  if (one && range && (range[0] !== one || range[1] !== one)) {
    throw badForward(`${side}_port and ${side}_port_range cannot be specified together`);
  }
  return range ?? (one ? ([one, one] as PortRange) : undefined);
}

/**
 * What a forwarded port is to be, from what it was and what is sent.
 * @throws ApiError 400 ports that do not fit together, or the protocol
 */
export function planForward(before: ForwardPlan | null, sent: Sent): ForwardPlan {
  const protocol = sent.protocol ?? before?.protocol ?? '';
  const had = (first: number | null | undefined, last: number | null | undefined): PortRange | undefined =>
    first && last ? [first, last] : undefined;
  const external =
    sentRange('external', sent.external_port, sent.external_port_range) ??
    had(before?.externalFirst, before?.externalLast);
  const internal =
    sentRange('internal', sent.internal_port, sent.internal_port_range) ??
    had(before?.internalFirst, before?.internalLast);
  const rest = {
    protocol,
    portId: sent.internal_port_id ?? before?.portId ?? '',
    description: sent.description ?? before?.description ?? '',
  };
  if (protocol === 'icmp') {
    if (external || internal) throw badForward('ports cannot be specified for protocol icmp');
    return { ...rest, externalFirst: null, externalLast: null, internalFirst: null, internalLast: null };
  }
  if (!external || !internal) throw badForward('both an internal and an external port must be specified');
  const widths = [external[1] - external[0], internal[1] - internal[0]] as const;
  if (widths[1] !== 0 && widths[0] !== widths[1]) {
    throw badForward(
      'Internal Port range and External Port range have different sizes. Ranges are allowed to be N:N or N:1 only',
    );
  }
  return {
    ...rest,
    externalFirst: external[0],
    externalLast: external[1],
    internalFirst: internal[0],
    internalLast: internal[1],
  };
}
