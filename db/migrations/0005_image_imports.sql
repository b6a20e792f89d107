CREATE TABLE `image_tasks` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`image_id` text NOT NULL,
	`project_id` text,
	`user_id` text NOT NULL,
	`request_id` text NOT NULL,
	`type` text NOT NULL,
	`status` text NOT NULL,
	`input` text NOT NULL,
	`message` text DEFAULT '' NOT NULL,
	`result` text,
	`attempts` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	`expires_at_ms` integer
);
--> statement-breakpoint
CREATE INDEX `image_tasks_image` ON `image_tasks` (`image_id`);--> statement-breakpoint
CREATE INDEX `image_tasks_list` ON `image_tasks` (`region`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE INDEX `image_tasks_open` ON `image_tasks` (`region`,`updated_at_ms`) WHERE status IN ('pending', 'processing');--> statement-breakpoint
CREATE INDEX `image_tasks_expiry` ON `image_tasks` (`expires_at_ms`);--> statement-breakpoint
DROP INDEX `images_project`;--> statement-breakpoint
DROP INDEX `images_saving`;--> statement-breakpoint
ALTER TABLE `images` ADD `staged` text;--> statement-breakpoint
CREATE INDEX `images_usage` ON `images` (`project_id`,`region`,`status`,`size_bytes`);--> statement-breakpoint
CREATE INDEX `images_writing` ON `images` (`blob_key`) WHERE status IN ('saving', 'uploading');