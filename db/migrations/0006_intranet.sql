CREATE TABLE `intranet_filters` (
	`region` text PRIMARY KEY NOT NULL,
	`enabled` integer NOT NULL,
	`dry_run` integer NOT NULL,
	`updated_by` text NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `intranet_prefixes` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`prefix` text NOT NULL,
	`ip_version` integer NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`reason` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `intranet_prefixes_prefix` ON `intranet_prefixes` (`region`,`prefix`);--> statement-breakpoint
CREATE TABLE `intranet_rules` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`source_type` text NOT NULL,
	`source_id` text NOT NULL,
	`destination` text NOT NULL,
	`protocol` integer,
	`port_range_min` integer,
	`port_range_max` integer,
	`content` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`reason` text NOT NULL,
	`expires_at_ms` integer,
	`ended_at_ms` integer,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `intranet_rules_content` ON `intranet_rules` (`region`,`content`);--> statement-breakpoint
CREATE INDEX `intranet_rules_expiry` ON `intranet_rules` (`region`,`expires_at_ms`);