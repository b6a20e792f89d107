CREATE TABLE `server_migrations` (
	`uuid` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`number` integer NOT NULL,
	`server_id` text NOT NULL,
	`user_id` text NOT NULL,
	`project_id` text NOT NULL,
	`request_id` text NOT NULL,
	`type` text NOT NULL,
	`status` text NOT NULL,
	`phase` text NOT NULL,
	`source_runner_id` text NOT NULL,
	`target_runner_id` text NOT NULL,
	`source_host` text NOT NULL,
	`target_host` text NOT NULL,
	`epoch` integer NOT NULL,
	`old_flavor` text NOT NULL,
	`new_flavor` text NOT NULL,
	`old_claim` text NOT NULL,
	`new_claim` text NOT NULL,
	`held` text,
	`held_runner_id` text,
	`op_id` text,
	`deadline_ms` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `server_migrations_number` ON `server_migrations` (`region`,`number`);--> statement-breakpoint
CREATE UNIQUE INDEX `server_migrations_open` ON `server_migrations` (`server_id`) WHERE phase NOT IN ('ending', 'ended');--> statement-breakpoint
CREATE INDEX `server_migrations_server` ON `server_migrations` (`server_id`);--> statement-breakpoint
CREATE INDEX `server_migrations_region` ON `server_migrations` (`region`,`updated_at_ms`);--> statement-breakpoint
CREATE INDEX `server_migrations_held` ON `server_migrations` (`held_runner_id`) WHERE held_runner_id IS NOT NULL;