-- Amounts are counted in millionths of a currency's unit, where they were in its minor unit: what a line is rounded to is more
-- than what a resource may cost. What was written stays what it was worth.
DROP TRIGGER billing_transfers_fixed;
--> statement-breakpoint
DROP TRIGGER billing_purchases_fixed;
--> statement-breakpoint
DROP TRIGGER billing_invoices_fixed;
--> statement-breakpoint
DROP TRIGGER billing_invoice_lines_open;
--> statement-breakpoint
DROP TRIGGER billing_invoice_lines_fixed;
--> statement-breakpoint
DROP TRIGGER billing_invoice_lines_kept;
--> statement-breakpoint
DROP INDEX billing_purchases_invoice;
--> statement-breakpoint
ALTER TABLE billing_accounts RENAME COLUMN credit_limit_minor TO credit_limit_micros;
--> statement-breakpoint
ALTER TABLE billing_accounts RENAME COLUMN low_minor TO low_micros;
--> statement-breakpoint
ALTER TABLE billing_purchases RENAME COLUMN amount_minor TO amount_micros;
--> statement-breakpoint
ALTER TABLE billing_purchases RENAME COLUMN amount_total_minor TO amount_total_micros;
--> statement-breakpoint
ALTER TABLE billing_transfers RENAME COLUMN amount_minor TO amount_micros;
--> statement-breakpoint
ALTER TABLE billing_balances RENAME COLUMN balance_minor TO balance_micros;
--> statement-breakpoint
ALTER TABLE billing_vouchers RENAME COLUMN amount_minor TO amount_micros;
--> statement-breakpoint
ALTER TABLE billing_invoices RENAME COLUMN total_minor TO total_micros;
--> statement-breakpoint
ALTER TABLE billing_budgets RENAME COLUMN amount_minor TO amount_micros;
--> statement-breakpoint
ALTER TABLE billing_holds RENAME COLUMN amount_minor TO amount_micros;
--> statement-breakpoint
UPDATE billing_accounts SET credit_limit_micros = credit_limit_micros * (CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END), low_micros = low_micros * (CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END);
--> statement-breakpoint
UPDATE billing_purchases SET amount_micros = amount_micros * (CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END), amount_total_micros = amount_total_micros * (CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END);
--> statement-breakpoint
UPDATE billing_transfers SET amount_micros = amount_micros * (CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END);
--> statement-breakpoint
UPDATE billing_balances SET balance_micros = balance_micros * (CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END);
--> statement-breakpoint
UPDATE billing_vouchers SET amount_micros = amount_micros * (CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END);
--> statement-breakpoint
UPDATE billing_invoices SET total_micros = total_micros * (CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END);
--> statement-breakpoint
UPDATE billing_budgets SET amount_micros = amount_micros * (CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END);
--> statement-breakpoint
UPDATE billing_holds SET amount_micros = amount_micros * (CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END);
--> statement-breakpoint
CREATE INDEX `billing_purchases_invoice` ON `billing_purchases` (`account_id`,`invoice_month_ms`,`currency`,`subscription_id`,`price_id`,`period_ms`);
--> statement-breakpoint
CREATE TABLE `billing_defaults` (
	`region` text PRIMARY KEY NOT NULL,
	`mode` text NOT NULL,
	`currency` text NOT NULL,
	`credit_limit_micros` integer,
	`low_micros` integer,
	`grace_hours` integer,
	`delete_after_days` integer
);
--> statement-breakpoint
CREATE TABLE `billing_invoice_details` (
	`invoice_id` text NOT NULL,
	`position` integer NOT NULL,
	`line` integer NOT NULL,
	`subscription_id` text NOT NULL,
	`price_id` text NOT NULL,
	`project_id` text NOT NULL,
	`period_ms` integer NOT NULL,
	`from_ms` integer NOT NULL,
	`through_ms` integer NOT NULL,
	`resource_id` text NOT NULL,
	`resource_name` text NOT NULL,
	`quantity_total` text NOT NULL,
	`quantity_before` text NOT NULL,
	`amount_micros` integer NOT NULL,
	PRIMARY KEY(`invoice_id`, `position`),
	FOREIGN KEY (`invoice_id`) REFERENCES `billing_invoices`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `billing_invoice_details_line` ON `billing_invoice_details` (`invoice_id`,`line`,`position`);
--> statement-breakpoint
CREATE TABLE `billing_invoice_sums` (
	`region` text NOT NULL,
	`account_id` text NOT NULL,
	`invoice_month_ms` integer NOT NULL,
	`currency` text NOT NULL,
	`project_id` text NOT NULL,
	`product_id` text NOT NULL,
	`price_id` text NOT NULL,
	`period_ms` integer NOT NULL,
	`purchases` integer NOT NULL,
	`booked_micros` integer NOT NULL,
	PRIMARY KEY(`account_id`, `invoice_month_ms`, `currency`, `project_id`, `price_id`, `period_ms`)
);
--> statement-breakpoint
CREATE INDEX `billing_invoice_sums_project` ON `billing_invoice_sums` (`project_id`,`invoice_month_ms`);
--> statement-breakpoint
CREATE TABLE `billing_stopped_servers` (
	`server_id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `billing_stopped_servers_region` ON `billing_stopped_servers` (`region`);
--> statement-breakpoint
DROP INDEX `billing_subscriptions_resource`;
--> statement-breakpoint
CREATE INDEX `billing_subscriptions_resource` ON `billing_subscriptions` (`resource_id`,`product_id`);
--> statement-breakpoint
ALTER TABLE `billing_accounts` ADD `grace_hours` integer;
--> statement-breakpoint
ALTER TABLE `billing_accounts` ADD `delete_after_days` integer;
--> statement-breakpoint
ALTER TABLE `billing_accounts` ADD `suspended_at_ms` integer;
--> statement-breakpoint
ALTER TABLE `billing_accounts` ADD `deletion_told_at_ms` integer;
--> statement-breakpoint
ALTER TABLE `billing_accounts` ADD `emptied_at_ms` integer;
--> statement-breakpoint
CREATE INDEX `billing_accounts_suspended` ON `billing_accounts` (`region`) WHERE suspended_at_ms IS NOT NULL;
--> statement-breakpoint
INSERT INTO billing_invoice_details (invoice_id, position, line, subscription_id, price_id, project_id, period_ms, from_ms, through_ms,
  resource_id, resource_name, quantity_total, quantity_before, amount_micros)
SELECT line.invoice_id, line.position, line.position, line.subscription_id, line.price_id, line.project_id, line.period_ms, line.from_ms, line.through_ms,
  line.resource_id, line.resource_name, line.quantity_total, line.quantity_before, line.amount_minor * (CASE WHEN invoice.currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN invoice.currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000 WHEN invoice.currency IN ('CLF', 'UYW') THEN 100 ELSE 10000 END)
FROM billing_invoice_lines line JOIN billing_invoices invoice ON invoice.id = line.invoice_id;
--> statement-breakpoint
ALTER TABLE billing_invoice_lines RENAME TO billing_resource_lines;
--> statement-breakpoint
CREATE TABLE `billing_invoice_lines` (
	`invoice_id` text NOT NULL,
	`position` integer NOT NULL,
	`project_id` text NOT NULL,
	`price_id` text NOT NULL,
	`period_ms` integer NOT NULL,
	`from_ms` integer NOT NULL,
	`through_ms` integer NOT NULL,
	`product` text NOT NULL,
	`item` text NOT NULL,
	`item_type` text NOT NULL,
	`order_unit` text NOT NULL,
	`order_size` integer NOT NULL,
	`details` integer NOT NULL,
	`quantity` text NOT NULL,
	`booked_micros` integer NOT NULL,
	`amount_micros` integer NOT NULL,
	PRIMARY KEY(`invoice_id`, `position`),
	FOREIGN KEY (`invoice_id`) REFERENCES `billing_invoices`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
-- Those were a resource each, rounded by itself: so they stay. Their details have the exact quantities.
INSERT INTO billing_invoice_lines (invoice_id, position, project_id, price_id, period_ms, from_ms, through_ms, product, item, item_type,
  order_unit, order_size, details, quantity, booked_micros, amount_micros)
SELECT line.invoice_id, line.position, line.project_id, line.price_id, line.period_ms, line.from_ms, line.through_ms, line.product, line.item, line.item_type,
  line.order_unit, line.order_size, 1, coalesce(CASE WHEN line.quantity_before = '0/1' THEN line.quantity_total ELSE
    CAST(round((CAST(substr(line.quantity_total, 1, instr(line.quantity_total, '/') - 1) AS INTEGER) * 1.0 / CAST(substr(line.quantity_total, instr(line.quantity_total, '/') + 1) AS INTEGER) - CAST(substr(line.quantity_before, 1, instr(line.quantity_before, '/') - 1) AS INTEGER) * 1.0 / CAST(substr(line.quantity_before, instr(line.quantity_before, '/') + 1) AS INTEGER)) * 1e9) AS INTEGER) || '/1000000000' END, line.quantity_total),
  detail.amount_micros, detail.amount_micros
FROM billing_resource_lines line JOIN billing_invoice_details detail USING (invoice_id, position);
--> statement-breakpoint
DROP TABLE billing_resource_lines;
--> statement-breakpoint
CREATE INDEX `billing_invoice_lines_price` ON `billing_invoice_lines` (`price_id`,`period_ms`,`project_id`);
--> statement-breakpoint
CREATE TRIGGER billing_transfers_fixed BEFORE UPDATE ON billing_transfers BEGIN SELECT RAISE(ABORT, 'transfers are never changed'); END;
--> statement-breakpoint
CREATE TRIGGER billing_purchases_fixed BEFORE UPDATE ON billing_purchases BEGIN SELECT RAISE(ABORT, 'purchases are never changed'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoices_fixed BEFORE UPDATE ON billing_invoices WHEN OLD.status = 'final' BEGIN SELECT RAISE(ABORT, 'the invoice is final'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoice_lines_open BEFORE INSERT ON billing_invoice_lines
WHEN EXISTS (SELECT 1 FROM billing_invoices WHERE id = NEW.invoice_id AND status = 'final')
BEGIN SELECT RAISE(ABORT, 'the invoice is final'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoice_lines_fixed BEFORE UPDATE ON billing_invoice_lines BEGIN SELECT RAISE(ABORT, 'invoice lines are never changed'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoice_lines_kept BEFORE DELETE ON billing_invoice_lines BEGIN SELECT RAISE(ABORT, 'invoice lines are never deleted'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoice_details_open BEFORE INSERT ON billing_invoice_details
WHEN EXISTS (SELECT 1 FROM billing_invoices WHERE id = NEW.invoice_id AND status = 'final')
BEGIN SELECT RAISE(ABORT, 'the invoice is final'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoice_details_fixed BEFORE UPDATE ON billing_invoice_details BEGIN SELECT RAISE(ABORT, 'invoice details are never changed'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoice_details_kept BEFORE DELETE ON billing_invoice_details BEGIN SELECT RAISE(ABORT, 'invoice details are never deleted'); END;
--> statement-breakpoint
-- What a month costs, as balances are: kept where it changes.
INSERT INTO billing_invoice_sums (region, account_id, invoice_month_ms, currency, project_id, product_id, price_id, period_ms, purchases, booked_micros)
SELECT region, account_id, invoice_month_ms, currency, project_id, product_id, price_id, period_ms, count(*), sum(amount_micros)
FROM billing_purchases GROUP BY account_id, invoice_month_ms, currency, project_id, price_id, period_ms;
--> statement-breakpoint
CREATE TRIGGER billing_purchase_added AFTER INSERT ON billing_purchases BEGIN
  INSERT INTO billing_invoice_sums (region, account_id, invoice_month_ms, currency, project_id, product_id, price_id, period_ms, purchases, booked_micros)
    VALUES (NEW.region, NEW.account_id, NEW.invoice_month_ms, NEW.currency, NEW.project_id, NEW.product_id, NEW.price_id, NEW.period_ms, 1, NEW.amount_micros)
    ON CONFLICT (account_id, invoice_month_ms, currency, project_id, price_id, period_ms)
    DO UPDATE SET purchases = purchases + 1, booked_micros = booked_micros + NEW.amount_micros;
END;
