import { app } from './app.ts';

export { ConsoleRelay } from './compute/consoles/console-relay.ts';
export { RegionWatch } from './fleet/region-watch.ts';
export { RunnerLink } from './fleet/runner-link.ts';
export { ImageImporter } from './image/imports/image-importer.ts';
export { WebhookSender } from './webhooks/webhook-sender.ts';

export default { fetch: app.fetch };
