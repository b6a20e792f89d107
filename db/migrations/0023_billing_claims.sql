-- A claim is of a product. One from before is of what the resource is charged by; of nothing, where that is not known: it ends by itself.
CREATE TABLE `__new_billing_holds` (
	`resource_id` text NOT NULL,
	`product_id` text NOT NULL,
	`region` text NOT NULL,
	`account_id` text NOT NULL,
	`currency` text NOT NULL,
	`amount_micros` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	PRIMARY KEY(`resource_id`, `product_id`)
);
--> statement-breakpoint
INSERT INTO `__new_billing_holds` (`resource_id`, `product_id`, `region`, `account_id`, `currency`, `amount_micros`, `expires_at_ms`)
SELECT `resource_id`, coalesce((
  SELECT `product_id` FROM `billing_subscriptions` WHERE `resource_id` = `billing_holds`.`resource_id` AND `kind` = 'time' AND `end_ms` IS NULL LIMIT 1
), ''), `region`, `account_id`, `currency`, `amount_micros`, `expires_at_ms` FROM `billing_holds`;--> statement-breakpoint
DROP TABLE `billing_holds`;--> statement-breakpoint
ALTER TABLE `__new_billing_holds` RENAME TO `billing_holds`;--> statement-breakpoint
CREATE INDEX `billing_holds_account` ON `billing_holds` (`account_id`);--> statement-breakpoint
ALTER TABLE `billing_stopped_servers` ADD `started` integer DEFAULT false NOT NULL;
