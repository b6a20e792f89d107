ALTER TABLE `servers` ADD `guest_password` text;--> statement-breakpoint
ALTER TABLE `servers` ADD `guest_password_id` text;