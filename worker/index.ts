import { app } from './app.ts';

export { RegionWatch } from './fleet/region-watch.ts';
export { RunnerLink } from './fleet/runner-link.ts';

export default { fetch: app.fetch };
