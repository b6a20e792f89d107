CREATE TABLE `metadef_items` (
	`namespace_id` text NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`body` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`namespace_id`, `kind`, `name`),
	FOREIGN KEY (`namespace_id`) REFERENCES `metadef_namespaces`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `metadef_items_resource_types` ON `metadef_items` (`kind`,`name`);--> statement-breakpoint
CREATE TABLE `metadef_namespaces` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`name` text NOT NULL,
	`display_name` text,
	`description` text,
	`visibility` text NOT NULL,
	`protected` integer DEFAULT false NOT NULL,
	`project_id` text,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `metadef_namespaces_name` ON `metadef_namespaces` (`region`,`name`);--> statement-breakpoint
CREATE INDEX `metadef_namespaces_list` ON `metadef_namespaces` (`region`,`created_at_ms`,`id`);--> statement-breakpoint
CREATE TABLE `metadef_resource_types` (
	`region` text NOT NULL,
	`name` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`region`, `name`)
);
