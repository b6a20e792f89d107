import { primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { networks } from './network.ts';
import { routers } from './routers.ts';

/** The network that a project was given when it asked for one, with the router that leads it outside. */
export const autoTopologies = sqliteTable(
  'auto_topologies',
  {
    region: text().notNull(),
    projectId: text().notNull(),
    networkId: text()
      .notNull()
      .references(() => networks.id, { onDelete: 'cascade' }),
    routerId: text().references(() => routers.id, { onDelete: 'set null' }),
  },
  (t) => [primaryKey({ columns: [t.region, t.projectId] })],
);
