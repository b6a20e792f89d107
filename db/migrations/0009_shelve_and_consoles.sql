CREATE TABLE `console_tokens` (
	`token_hash` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`server_id` text NOT NULL,
	`user_id` text NOT NULL,
	`console_type` text NOT NULL,
	`expires_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `console_tokens_expiry` ON `console_tokens` (`region`,`expires_at_ms`);--> statement-breakpoint
CREATE INDEX `console_tokens_server` ON `console_tokens` (`server_id`);--> statement-breakpoint
ALTER TABLE `servers` ADD `shelved_image_id` text;--> statement-breakpoint
ALTER TABLE `servers` ADD `shelved_spec` text;