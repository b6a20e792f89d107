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
CREATE INDEX `meter_alarms_due` ON `meter_alarms` (`region`,`checked_at_ms`) WHERE enabled = 1;