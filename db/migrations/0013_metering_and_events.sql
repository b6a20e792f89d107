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
CREATE INDEX `events_resource` ON `events` (`resource_id`,`version`);--> statement-breakpoint
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
CREATE INDEX `usage_spans_open` ON `usage_spans` (`resource_type`,`resource_id`) WHERE end_ms IS NULL;