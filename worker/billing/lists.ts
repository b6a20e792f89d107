import { z } from 'zod';

/** Rows of a page, where none is asked for, and at most. */
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;

const id = z.string().min(1).max(128);

/** What all lists take; the marker is the last id of the page before. */
const page = {
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
  marker: id.optional(),
};

export const subscriptionList = z.strictObject({ project_id: id.optional(), resource_id: id.optional(), ...page });
export const productList = z.strictObject({ item: id.optional(), item_type: id.optional() });
export const accountList = z.strictObject({ ...page });
export const invoiceList = z.strictObject({
  account_id: id.optional(),
  status: z.enum(['open', 'draft', 'final']).optional(),
  ...page,
});
export const purchaseList = z.strictObject({
  project_id: id.optional(),
  subscription_id: id.optional(),
  invoice_id: id.optional(),
  line: z.coerce.number().int().min(1).optional(),
  ...page,
});
/** The marker is a position. */
export const detailList = z.strictObject({
  line: z.coerce.number().int().min(1).optional(),
  limit: page.limit,
  marker: z.coerce.number().int().min(0).default(0),
  format: z.enum(['json', 'csv']).default('json'),
});
export const forecastQuery = z.strictObject({ project_id: id.optional() });
export const invoiceQuery = z.strictObject({ format: z.enum(['json', 'csv', 'html']).default('json') });
export const rerateQuery = z.strictObject({ after: z.string().max(512).optional() });
