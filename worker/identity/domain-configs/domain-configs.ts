import { eq, sql } from 'drizzle-orm';
import { domainConfigs } from '../../../db/schema/catalog.ts';
import { domains } from '../../../db/schema/identity.ts';
import { assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { missing } from '../http/names.ts';
import { type Action, authorize } from '../policy.ts';
import { seal, unseal } from '../sealed.ts';
import { DEFAULTS, type DomainConfig, invalid, type Part, partOf, requireSupported, shown } from './options.ts';

const PURPOSE = 'domain configuration';
const CONFIG_CHARS_MAX = 64 * 1024;

interface Stored {
  config: DomainConfig;
  /** As it is in the database; null: there is none. */
  sealed: string | null;
}

async function read(ctx: ActorContext, domainId: string, action: Action): Promise<Stored> {
  authorize(ctx, action);
  const [found, [row]] = await ctx.db.batch([
    ctx.db.select({ id: domains.id }).from(domains).where(eq(domains.id, domainId)),
    ctx.db.select().from(domainConfigs).where(eq(domainConfigs.domainId, domainId)),
  ]);
  if (found.length === 0) throw missing('domain', domainId);
  if (!row) return { config: {}, sealed: null };
  const text = await unseal(ctx, PURPOSE, row.sealed);
  if (text === undefined) throw new Error(`the configuration of ${domainId} was sealed under another TOKEN_KEY`);
  return { config: JSON.parse(text) as DomainConfig, sealed: row.sealed };
}

/** Writes it, unless it was changed since it was read. @throws AssertionFailed */
async function write(ctx: ActorContext, domainId: string, before: Stored, config: DomainConfig, action: Action) {
  const text = JSON.stringify(config);
  if (text.length > CONFIG_CHARS_MAX) throw invalid(`it takes more than ${CONFIG_CHARS_MAX} characters`);
  const sealed = await seal(ctx, PURPOSE, text);
  const changedAtMs = ctx.clock.nowMs();
  const unchanged =
    before.sealed === null
      ? sql`NOT EXISTS (SELECT 1 FROM domain_configs WHERE domain_id = ${domainId})`
      : sql`EXISTS (SELECT 1 FROM domain_configs WHERE domain_id = ${domainId} AND sealed = ${before.sealed})`;
  await commit(ctx, {
    audit: { action, targetType: 'domain', targetId: domainId, detail: { groups: Object.keys(config) } },
    statements: [
      assertThat(ctx.db, 'unchanged', unchanged),
      Object.keys(config).length === 0
        ? ctx.db.delete(domainConfigs).where(eq(domainConfigs.domainId, domainId))
        : ctx.db
            .insert(domainConfigs)
            .values({ domainId, sealed, changedAtMs })
            .onConflictDoUpdate({ target: domainConfigs.domainId, set: { sealed, changedAtMs } }),
    ],
  });
}

const notThere = (domainId: string, { group, option }: Part) => {
  const what = option ? `option ${option} in group ${group}` : group ? `group ${group}` : 'any options';
  return notFound(`Could not find ${what} in domain configuration for domain ${domainId}.`);
};

/** @throws ApiError 403 for anything but options that there are */
function requireValid(config: DomainConfig): void {
  if (Object.keys(config).length === 0) throw invalid('No options specified');
  for (const [group, options] of Object.entries(config)) {
    if (typeof options !== 'object' || options === null || Object.keys(options).length === 0) {
      throw invalid(`The value of group ${group} specified in the config should be a dictionary of options`);
    }
    for (const option of Object.keys(options)) requireSupported({ group, option });
  }
}

/** @throws ApiError 403, 404 */
export async function getDomainConfig(ctx: ActorContext, domainId: string, part: Part) {
  const { config } = await read(ctx, domainId, 'identity:get_domain_config');
  requireSupported(part);
  const found = partOf(shown(config), part);
  if (!found) throw notThere(domainId, part);
  return found;
}

/** Puts a configuration in the place of the one before. @throws ApiError 403, 404 */
export async function putDomainConfig(
  ctx: ActorContext,
  domainId: string,
  config: DomainConfig,
): Promise<{ config: DomainConfig; isNew: boolean }> {
  const action = 'identity:create_domain_config';
  const before = await read(ctx, domainId, action);
  requireValid(config);
  await write(ctx, domainId, before, config, action);
  return { config: shown(config), isNew: before.sealed === null };
}

/**
 * Changes options, all or those of a part that is there already.
 * @param change - groups of options, or of one option its value alone
 * @throws ApiError 403, 404
 */
export async function updateDomainConfig(
  ctx: ActorContext,
  domainId: string,
  part: Part,
  change: DomainConfig,
): Promise<DomainConfig> {
  const action = 'identity:update_domain_config';
  const before = await read(ctx, domainId, action);
  const { group, option } = part;
  requireSupported(part);
  const wanted = group !== undefined && option !== undefined && !(group in change) ? { [group]: change } : change;
  requireValid(wanted as DomainConfig);
  if (group !== undefined) {
    const groups = Object.keys(wanted);
    const options = Object.keys(wanted[group] ?? {});
    if (
      groups.length !== 1 ||
      groups[0] !== group ||
      (option !== undefined && (options.length !== 1 || options[0] !== option))
    ) {
      throw invalid(`Trying to update ${option ?? group}, so that, and only that, must be specified in the config`);
    }
    if (!partOf(before.config, part)) throw notThere(domainId, part);
  }
  const config = { ...before.config };
  for (const [name, options] of Object.entries(wanted)) config[name] = { ...config[name], ...(options as object) };
  await write(ctx, domainId, before, config, action);
  return shown(config);
}

/** @throws ApiError 403, 404 */
export async function deleteDomainConfig(ctx: ActorContext, domainId: string, part: Part): Promise<void> {
  const action = 'identity:delete_domain_config';
  const before = await read(ctx, domainId, action);
  requireSupported(part);
  const { group, option } = part;
  if (group !== undefined && !partOf(before.config, part)) throw notThere(domainId, part);
  const { [group ?? '']: options, ...others } = before.config;
  const { [option ?? '']: _, ...left } = options ?? {};
  const keeps = option !== undefined && Object.keys(left).length > 0;
  const config = group === undefined ? {} : { ...others, ...(keeps ? { [group]: left } : {}) };
  await write(ctx, domainId, before, config, action);
}

/** What holds for domains without a configuration of their own. @throws ApiError 403 */
export function defaultConfig(ctx: ActorContext, part: Part): Record<string, unknown> {
  authorize(ctx, 'identity:get_domain_config_default');
  requireSupported(part);
  const found = partOf(DEFAULTS as DomainConfig, part);
  if (!found) throw invalid(`Option ${part.option} in group ${part.group} is not supported`);
  return found;
}
