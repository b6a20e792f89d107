import { ipAddress } from '../api/addresses.ts';
import { optional, owner, readOnly, required, unset } from '../api/attributes.ts';
import { DESCRIPTION_LENGTH_MAX, nullOr, text, uuid } from '../api/values.ts';
import { dnsName } from '../ports/attributes.ts';

const DOMAIN_LENGTH_MAX = 255;

/** The attributes of a floating IP, as POST and PUT take them. */
export const floatingIpAttributes = {
  floating_network_id: required(uuid),
  floating_ip_address: unset(nullOr(ipAddress), { put: false }),
  subnet_id: unset(nullOr(uuid), { put: false }),
  port_id: unset(nullOr(uuid)),
  fixed_ip_address: unset(nullOr(ipAddress)),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  dns_name: optional(dnsName, '', { put: false }),
  dns_domain: optional(text(DOMAIN_LENGTH_MAX), '', { put: false }),
  qos_policy_id: unset(nullOr(uuid)),
  ...owner,
  id: readOnly,
  status: readOnly,
  router_id: readOnly,
  port_details: readOnly,
  port_forwardings: readOnly,
  tags: readOnly,
  created_at: readOnly,
  updated_at: readOnly,
  revision_number: readOnly,
} as const;
