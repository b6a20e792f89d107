DROP INDEX `billing_subscriptions_resource`;--> statement-breakpoint
CREATE INDEX `billing_subscriptions_resource` ON `billing_subscriptions` (`resource_id`,`product_id`);