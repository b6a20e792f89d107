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
CREATE TABLE `billing_stopped_servers` (
	`server_id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `billing_stopped_servers_region` ON `billing_stopped_servers` (`region`);--> statement-breakpoint
ALTER TABLE `billing_accounts` ADD `grace_hours` integer;--> statement-breakpoint
ALTER TABLE `billing_accounts` ADD `delete_after_days` integer;--> statement-breakpoint
ALTER TABLE `billing_accounts` ADD `suspended_at_ms` integer;--> statement-breakpoint
ALTER TABLE `billing_accounts` ADD `deletion_told_at_ms` integer;--> statement-breakpoint
ALTER TABLE `billing_accounts` ADD `emptied_at_ms` integer;--> statement-breakpoint
CREATE INDEX `billing_accounts_suspended` ON `billing_accounts` (`region`) WHERE suspended_at_ms IS NOT NULL;