/** Accounts of the ledger. What a customer's holds is theirs; below zero it is owed. */
export const customer = (accountId: string): string => `customer:${accountId}`;
export const voucher = (voucherId: string): string => `voucher:${voucherId}`;
/** What was sold. */
export const revenue = (region: string): string => `revenue:${region}`;
/** What came from outside. */
export const cash = (region: string): string => `cash:${region}`;
/** What vouchers were given from. */
export const promotion = (region: string): string => `promotion:${region}`;
/** What of vouchers was never spent. */
export const breakage = (region: string): string => `breakage:${region}`;
/** What invoices were rounded by. */
export const rounding = (region: string): string => `rounding:${region}`;
