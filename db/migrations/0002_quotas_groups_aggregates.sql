CREATE TABLE `aggregate_hosts` (
	`aggregate_id` integer NOT NULL,
	`runner_id` text NOT NULL,
	`added_at_ms` integer NOT NULL,
	PRIMARY KEY(`aggregate_id`, `runner_id`),
	FOREIGN KEY (`aggregate_id`) REFERENCES `aggregates`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`runner_id`) REFERENCES `runners`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `aggregate_hosts_runner` ON `aggregate_hosts` (`runner_id`);--> statement-breakpoint
CREATE TABLE `aggregates` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`uuid` text NOT NULL,
	`region` text NOT NULL,
	`name` text NOT NULL,
	`metadata` text DEFAULT '{}' NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `aggregates_name` ON `aggregates` (`region`,`name`);--> statement-breakpoint
CREATE TABLE `quota_classes` (
	`region` text NOT NULL,
	`name` text NOT NULL,
	`limits` text NOT NULL,
	PRIMARY KEY(`region`, `name`)
);
--> statement-breakpoint
CREATE TABLE `quotas` (
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`user_id` text DEFAULT '' NOT NULL,
	`limits` text NOT NULL,
	PRIMARY KEY(`region`, `project_id`, `user_id`)
);
--> statement-breakpoint
CREATE TABLE `server_group_members` (
	`server_id` text PRIMARY KEY NOT NULL,
	`group_id` text NOT NULL,
	FOREIGN KEY (`group_id`) REFERENCES `server_groups`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `server_group_members_group` ON `server_group_members` (`group_id`);--> statement-breakpoint
CREATE TABLE `server_groups` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`user_id` text NOT NULL,
	`number` integer NOT NULL,
	`name` text NOT NULL,
	`policy` text NOT NULL,
	`max_server_per_host` integer,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `server_groups_project` ON `server_groups` (`region`,`project_id`,`number`);--> statement-breakpoint
ALTER TABLE `runners` ADD `home_zone` text;--> statement-breakpoint
ALTER TABLE `runners` ADD `forced_down` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `runners` ADD `vcpu_ratio` real;--> statement-breakpoint
ALTER TABLE `runners` ADD `memory_ratio` real;--> statement-breakpoint
ALTER TABLE `runners` ADD `disk_ratio` real;