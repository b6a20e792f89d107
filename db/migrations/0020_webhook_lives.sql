DROP INDEX `webhook_deliveries_due`;--> statement-breakpoint
ALTER TABLE `webhook_deliveries` ADD `life` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `webhook_deliveries_claimed` ON `webhook_deliveries` (`endpoint_id`,`claim`) WHERE claim IS NOT NULL;--> statement-breakpoint
CREATE INDEX `webhook_deliveries_tests` ON `webhook_deliveries` (`endpoint_id`) WHERE status = 'pending' AND type = 'webhook.test';--> statement-breakpoint
CREATE INDEX `webhook_deliveries_over` ON `webhook_deliveries` (`endpoint_id`,`status`,`created_at_ms`);--> statement-breakpoint
CREATE INDEX `webhook_deliveries_due` ON `webhook_deliveries` (`endpoint_id`,`life`,`next_attempt_ms`,`event_sequence`) WHERE status = 'pending';--> statement-breakpoint
DROP INDEX `webhook_endpoints_url`;--> statement-breakpoint
DROP INDEX `webhook_endpoints_region_url`;--> statement-breakpoint
ALTER TABLE `webhook_endpoints` ADD `life` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `webhook_endpoints` ADD `clearing_since_ms` integer;--> statement-breakpoint
ALTER TABLE `webhook_endpoints` ADD `deleted_at_ms` integer;--> statement-breakpoint
CREATE INDEX `webhook_endpoints_clearing` ON `webhook_endpoints` (`region`) WHERE clearing_since_ms IS NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_endpoints_url` ON `webhook_endpoints` (`region`,`project_id`,`url`) WHERE project_id IS NOT NULL AND deleted_at_ms IS NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_endpoints_region_url` ON `webhook_endpoints` (`region`,`url`) WHERE project_id IS NULL AND deleted_at_ms IS NULL;--> statement-breakpoint
CREATE INDEX `events_region` ON `events` (`region`);--> statement-breakpoint
CREATE INDEX `events_missed` ON `events` (`region`,`project_id`,`at_ms`);