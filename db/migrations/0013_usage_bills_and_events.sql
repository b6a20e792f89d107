CREATE TABLE `billing_account_projects` (
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`account_id` text NOT NULL,
	PRIMARY KEY(`region`, `project_id`),
	FOREIGN KEY (`account_id`) REFERENCES `billing_accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `billing_account_projects_account` ON `billing_account_projects` (`account_id`);--> statement-breakpoint
CREATE TABLE `billing_accounts` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`name` text NOT NULL,
	`mode` text NOT NULL,
	`currency` text NOT NULL,
	`credit_limit_minor` integer,
	`low_minor` integer,
	`state` text NOT NULL,
	`state_since_ms` integer NOT NULL,
	`told_sequence` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `billing_accounts_region` ON `billing_accounts` (`region`);--> statement-breakpoint
CREATE TABLE `billing_balances` (
	`ledger_account` text NOT NULL,
	`currency` text NOT NULL,
	`balance_minor` integer NOT NULL,
	PRIMARY KEY(`ledger_account`, `currency`)
);
--> statement-breakpoint
CREATE TABLE `billing_budget_alerts` (
	`budget_id` text NOT NULL,
	`month_ms` integer NOT NULL,
	`threshold` integer NOT NULL,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`budget_id`, `month_ms`, `threshold`)
);
--> statement-breakpoint
CREATE TABLE `billing_budgets` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`account_id` text NOT NULL,
	`name` text NOT NULL,
	`currency` text NOT NULL,
	`amount_minor` integer NOT NULL,
	`thresholds` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `billing_accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_budgets_name` ON `billing_budgets` (`account_id`,`name`);--> statement-breakpoint
CREATE TABLE `billing_holds` (
	`resource_id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`account_id` text NOT NULL,
	`currency` text NOT NULL,
	`amount_minor` integer NOT NULL,
	`expires_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `billing_holds_account` ON `billing_holds` (`account_id`);--> statement-breakpoint
CREATE TABLE `billing_invoice_lines` (
	`invoice_id` text NOT NULL,
	`position` integer NOT NULL,
	`subscription_id` text NOT NULL,
	`price_id` text NOT NULL,
	`project_id` text NOT NULL,
	`period_ms` integer NOT NULL,
	`from_ms` integer NOT NULL,
	`through_ms` integer NOT NULL,
	`product` text NOT NULL,
	`item` text NOT NULL,
	`item_type` text NOT NULL,
	`resource_id` text NOT NULL,
	`resource_name` text NOT NULL,
	`order_unit` text NOT NULL,
	`order_size` integer NOT NULL,
	`quantity_total` text NOT NULL,
	`quantity_before` text NOT NULL,
	`amount_minor` integer NOT NULL,
	PRIMARY KEY(`invoice_id`, `position`),
	FOREIGN KEY (`invoice_id`) REFERENCES `billing_invoices`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `billing_invoices` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`account_id` text NOT NULL,
	`month_ms` integer NOT NULL,
	`currency` text NOT NULL,
	`status` text NOT NULL,
	`number` integer,
	`total_minor` integer,
	`finalized_at_ms` integer,
	`created_at_ms` integer NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `billing_accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_invoices_month` ON `billing_invoices` (`account_id`,`month_ms`,`currency`);--> statement-breakpoint
CREATE UNIQUE INDEX `billing_invoices_number` ON `billing_invoices` (`account_id`,`number`);--> statement-breakpoint
CREATE INDEX `billing_invoices_status` ON `billing_invoices` (`region`,`status`,`month_ms`);--> statement-breakpoint
CREATE TABLE `billing_prices` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`product_id` text NOT NULL,
	`effective_from_ms` integer NOT NULL,
	`terms` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	FOREIGN KEY (`product_id`) REFERENCES `billing_products`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_prices_effective` ON `billing_prices` (`product_id`,`effective_from_ms`);--> statement-breakpoint
CREATE TABLE `billing_products` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`name` text NOT NULL,
	`item` text NOT NULL,
	`item_type` text NOT NULL,
	`kind` text NOT NULL,
	`order_unit` text NOT NULL,
	`order_size` integer NOT NULL,
	`quantity_per` integer DEFAULT 1 NOT NULL,
	`interval` text NOT NULL,
	`prepaid` integer NOT NULL,
	`currency` text NOT NULL,
	`automatic` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`retired_at_ms` integer,
	`reconciled_at_ms` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_products_automatic` ON `billing_products` (`region`,`item`,`item_type`) WHERE automatic = 1 AND retired_at_ms IS NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `billing_products_name` ON `billing_products` (`region`,`name`) WHERE retired_at_ms IS NULL;--> statement-breakpoint
CREATE TABLE `billing_purchases` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`region` text NOT NULL,
	`account_id` text NOT NULL,
	`project_id` text NOT NULL,
	`subscription_id` text NOT NULL,
	`product_id` text NOT NULL,
	`price_id` text NOT NULL,
	`period_ms` integer NOT NULL,
	`revision` integer NOT NULL,
	`from_ms` integer NOT NULL,
	`through_ms` integer NOT NULL,
	`as_of_ms` integer NOT NULL,
	`quantity` text NOT NULL,
	`quantity_total` text NOT NULL,
	`currency` text NOT NULL,
	`amount_minor` integer NOT NULL,
	`amount_total_minor` integer NOT NULL,
	`invoice_month_ms` integer NOT NULL,
	`at_ms` integer NOT NULL,
	FOREIGN KEY (`subscription_id`) REFERENCES `billing_subscriptions`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_purchases_id_unique` ON `billing_purchases` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `billing_purchases_line` ON `billing_purchases` (`subscription_id`,`price_id`,`period_ms`,`revision`);--> statement-breakpoint
CREATE INDEX `billing_purchases_invoice` ON `billing_purchases` (`account_id`,`invoice_month_ms`,`currency`,`amount_minor`);--> statement-breakpoint
CREATE INDEX `billing_purchases_project` ON `billing_purchases` (`project_id`,`from_ms`);--> statement-breakpoint
CREATE INDEX `billing_purchases_listed` ON `billing_purchases` (`project_id`,`sequence`);--> statement-breakpoint
CREATE INDEX `billing_purchases_account` ON `billing_purchases` (`account_id`,`sequence`);--> statement-breakpoint
CREATE TABLE `billing_subscriptions` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`product_id` text NOT NULL,
	`kind` text NOT NULL,
	`resource_type` text NOT NULL,
	`resource_id` text NOT NULL,
	`resource_name` text NOT NULL,
	`item_type` text NOT NULL,
	`quantity` integer DEFAULT 1 NOT NULL,
	`opened_by` text NOT NULL,
	`start_ms` integer NOT NULL,
	`end_ms` integer,
	`visited_ms` integer NOT NULL,
	`charged_through_ms` integer NOT NULL,
	`dirty_from_ms` integer,
	`due_ms` integer,
	`revision` integer DEFAULT 1 NOT NULL,
	`lease_until_ms` integer DEFAULT 0 NOT NULL,
	`fault` text,
	FOREIGN KEY (`product_id`) REFERENCES `billing_products`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_subscriptions_open` ON `billing_subscriptions` (`resource_id`,`product_id`) WHERE end_ms IS NULL;--> statement-breakpoint
CREATE INDEX `billing_subscriptions_due` ON `billing_subscriptions` (`region`,`due_ms`) WHERE due_ms IS NOT NULL;--> statement-breakpoint
CREATE INDEX `billing_subscriptions_resource` ON `billing_subscriptions` (`resource_id`);--> statement-breakpoint
CREATE INDEX `billing_subscriptions_project` ON `billing_subscriptions` (`project_id`,`start_ms`);--> statement-breakpoint
CREATE INDEX `billing_subscriptions_product` ON `billing_subscriptions` (`product_id`);--> statement-breakpoint
CREATE TABLE `billing_transfers` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`region` text NOT NULL,
	`reference` text NOT NULL,
	`leg` text NOT NULL,
	`kind` text NOT NULL,
	`from_account` text NOT NULL,
	`to_account` text NOT NULL,
	`currency` text NOT NULL,
	`amount_minor` integer NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`at_ms` integer NOT NULL,
	CONSTRAINT "billing_transfers_positive" CHECK(amount_minor > 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_transfers_reference` ON `billing_transfers` (`reference`,`leg`);--> statement-breakpoint
CREATE INDEX `billing_transfers_from` ON `billing_transfers` (`from_account`,`id`);--> statement-breakpoint
CREATE INDEX `billing_transfers_to` ON `billing_transfers` (`to_account`,`id`);--> statement-breakpoint
CREATE TABLE `billing_vouchers` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`account_id` text NOT NULL,
	`currency` text NOT NULL,
	`amount_minor` integer NOT NULL,
	`reason` text NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`expired_at_ms` integer,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `billing_accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `billing_vouchers_account` ON `billing_vouchers` (`account_id`,`expires_at_ms`);--> statement-breakpoint
CREATE INDEX `billing_vouchers_expiry` ON `billing_vouchers` (`region`,`expires_at_ms`) WHERE expired_at_ms IS NULL;--> statement-breakpoint
CREATE TABLE `event_versions` (
	`resource_id` text PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`ended` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `events` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`region` text NOT NULL,
	`project_id` text,
	`type` text NOT NULL,
	`resource_id` text NOT NULL,
	`version` integer NOT NULL,
	`at_ms` integer NOT NULL,
	`data` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `events_id_unique` ON `events` (`id`);--> statement-breakpoint
CREATE INDEX `events_project` ON `events` (`project_id`,`sequence`);--> statement-breakpoint
CREATE INDEX `events_age` ON `events` (`region`,`at_ms`);--> statement-breakpoint
CREATE UNIQUE INDEX `events_resource` ON `events` (`resource_id`,`version`);--> statement-breakpoint
CREATE TABLE `meter_alarms` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`resource_type` text NOT NULL,
	`resource_id` text NOT NULL,
	`meter` text NOT NULL,
	`statistic` text NOT NULL,
	`comparison` text NOT NULL,
	`threshold` real NOT NULL,
	`window_s` integer NOT NULL,
	`enabled` integer DEFAULT true NOT NULL,
	`state` text NOT NULL,
	`state_since_ms` integer NOT NULL,
	`value` real,
	`checked_at_ms` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `meter_alarms_project` ON `meter_alarms` (`region`,`project_id`);--> statement-breakpoint
CREATE INDEX `meter_alarms_due` ON `meter_alarms` (`region`,`checked_at_ms`) WHERE enabled = 1;--> statement-breakpoint
CREATE TABLE `meter_progress` (
	`runner_id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`sealed_through_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `meter_refusals` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`runner_id` text NOT NULL,
	`reason` text NOT NULL,
	`resource_type` text NOT NULL,
	`resource_id` text NOT NULL,
	`meter` text NOT NULL,
	`count` integer NOT NULL,
	`first_at_ms` integer NOT NULL,
	`last_at_ms` integer NOT NULL,
	`last_value` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `meter_refusals_region` ON `meter_refusals` (`region`,`last_at_ms`);--> statement-breakpoint
CREATE TABLE `meter_windows` (
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`resource_type` text NOT NULL,
	`resource_id` text NOT NULL,
	`meter` text NOT NULL,
	`start_ms` integer NOT NULL,
	`runner_id` text NOT NULL,
	`value` integer NOT NULL,
	`coverage` integer NOT NULL,
	`revision` integer DEFAULT 1 NOT NULL,
	`sealed_at_ms` integer NOT NULL,
	PRIMARY KEY(`resource_id`, `meter`, `start_ms`, `runner_id`)
);
--> statement-breakpoint
CREATE INDEX `meter_windows_project` ON `meter_windows` (`project_id`,`start_ms`);--> statement-breakpoint
CREATE INDEX `meter_windows_meter` ON `meter_windows` (`region`,`meter`,`start_ms`);--> statement-breakpoint
CREATE TABLE `usage_spans` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`resource_type` text NOT NULL,
	`resource_id` text NOT NULL,
	`resource_name` text NOT NULL,
	`item_type` text NOT NULL,
	`state` text NOT NULL,
	`quantity` integer DEFAULT 1 NOT NULL,
	`start_ms` integer NOT NULL,
	`end_ms` integer
);
--> statement-breakpoint
CREATE INDEX `usage_spans_resource` ON `usage_spans` (`resource_type`,`resource_id`,`start_ms`);--> statement-breakpoint
CREATE INDEX `usage_spans_project` ON `usage_spans` (`project_id`,`start_ms`);--> statement-breakpoint
CREATE INDEX `usage_spans_item` ON `usage_spans` (`region`,`resource_type`,`item_type`,`end_ms`);--> statement-breakpoint
CREATE INDEX `usage_spans_open` ON `usage_spans` (`resource_type`,`resource_id`) WHERE end_ms IS NULL;--> statement-breakpoint
CREATE TABLE `webhook_attempts` (
	`delivery_id` text NOT NULL,
	`number` integer NOT NULL,
	`at_ms` integer NOT NULL,
	`duration_ms` integer NOT NULL,
	`status` integer,
	`error` text,
	`answer` text DEFAULT '' NOT NULL,
	PRIMARY KEY(`delivery_id`, `number`),
	FOREIGN KEY (`delivery_id`) REFERENCES `webhook_deliveries`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `webhook_deliveries` (
	`id` text PRIMARY KEY NOT NULL,
	`endpoint_id` text NOT NULL,
	`event_id` text NOT NULL,
	`event_sequence` integer NOT NULL,
	`type` text NOT NULL,
	`status` text NOT NULL,
	`tries` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`next_attempt_ms` integer,
	`claim` text,
	`body` text,
	`last_status` integer,
	`reason` text,
	`replay_id` text,
	`created_at_ms` integer NOT NULL,
	`finished_at_ms` integer,
	FOREIGN KEY (`endpoint_id`) REFERENCES `webhook_endpoints`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_deliveries_event` ON `webhook_deliveries` (`endpoint_id`,`event_id`);--> statement-breakpoint
CREATE INDEX `webhook_deliveries_sequence` ON `webhook_deliveries` (`endpoint_id`,`event_sequence`);--> statement-breakpoint
CREATE INDEX `webhook_deliveries_due` ON `webhook_deliveries` (`endpoint_id`,`next_attempt_ms`) WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX `webhook_deliveries_pending` ON `webhook_deliveries` (`event_id`) WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX `webhook_deliveries_finished` ON `webhook_deliveries` (`finished_at_ms`) WHERE finished_at_ms IS NOT NULL;--> statement-breakpoint
CREATE TABLE `webhook_endpoints` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text,
	`url` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`events` text NOT NULL,
	`enabled` integer DEFAULT true NOT NULL,
	`disabled_reason` text,
	`disabled_at_ms` integer,
	`failing_since_ms` integer,
	`paused_until_ms` integer,
	`due_at_ms` integer,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_endpoints_url` ON `webhook_endpoints` (`region`,`project_id`,`url`) WHERE project_id IS NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_endpoints_region_url` ON `webhook_endpoints` (`region`,`url`) WHERE project_id IS NULL;--> statement-breakpoint
CREATE INDEX `webhook_endpoints_due` ON `webhook_endpoints` (`region`,`due_at_ms`) WHERE due_at_ms IS NOT NULL;--> statement-breakpoint
CREATE TABLE `webhook_secrets` (
	`id` text PRIMARY KEY NOT NULL,
	`endpoint_id` text NOT NULL,
	`type` text NOT NULL,
	`sealed` text NOT NULL,
	`public_key` text,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer,
	FOREIGN KEY (`endpoint_id`) REFERENCES `webhook_endpoints`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `webhook_secrets_endpoint` ON `webhook_secrets` (`endpoint_id`);--> statement-breakpoint
CREATE INDEX `webhook_secrets_expiry` ON `webhook_secrets` (`expires_at_ms`) WHERE expires_at_ms IS NOT NULL;