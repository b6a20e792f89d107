import type { Policy } from '../http/policy.ts';

export type WebhookAction =
  | 'webhooks:event-types:list'
  | 'webhooks:events:list'
  | 'webhooks:endpoints:list'
  | 'webhooks:endpoints:show'
  | 'webhooks:endpoints:create'
  | 'webhooks:endpoints:create-regional'
  | 'webhooks:endpoints:update'
  | 'webhooks:endpoints:delete'
  | 'webhooks:endpoints:rotate'
  | 'webhooks:endpoints:test'
  | 'webhooks:endpoints:replay'
  | 'webhooks:deliveries:list'
  | 'webhooks:deliveries:show'
  | 'webhooks:deliveries:replay';

/**
 * A project's endpoints are its members': even to see one takes that role, since many a receiver's URL is a secret. Those of
 * the operator, told of all the region's events, have no project, so only an admin reaches them.
 */
export const policy: Policy<WebhookAction> = {
  'webhooks:event-types:list': 'authenticated',
  'webhooks:events:list': 'project-member',
  'webhooks:endpoints:list': 'project-member',
  'webhooks:endpoints:show': 'project-member',
  'webhooks:endpoints:create': 'project-member',
  'webhooks:endpoints:create-regional': 'admin',
  'webhooks:endpoints:update': 'project-member',
  'webhooks:endpoints:delete': 'project-member',
  'webhooks:endpoints:rotate': 'project-member',
  'webhooks:endpoints:test': 'project-member',
  'webhooks:endpoints:replay': 'project-member',
  'webhooks:deliveries:list': 'project-member',
  'webhooks:deliveries:show': 'project-member',
  'webhooks:deliveries:replay': 'project-member',
};
