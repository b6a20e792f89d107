ALTER TABLE `group_members` ADD `expires_at_ms` integer;--> statement-breakpoint
ALTER TABLE `group_members` ADD `idp_id` text;