CREATE TABLE `federated_users` (
	`idp_id` text NOT NULL,
	`protocol_id` text NOT NULL,
	`unique_id` text NOT NULL,
	`user_id` text NOT NULL,
	PRIMARY KEY(`idp_id`, `protocol_id`, `unique_id`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`idp_id`,`protocol_id`) REFERENCES `federation_protocols`(`idp_id`,`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `federated_users_user` ON `federated_users` (`user_id`);--> statement-breakpoint
CREATE TABLE `federation_mappings` (
	`id` text PRIMARY KEY NOT NULL,
	`rules` text NOT NULL,
	`schema_version` text DEFAULT '1.0' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `federation_protocols` (
	`idp_id` text NOT NULL,
	`id` text NOT NULL,
	`mapping_id` text NOT NULL,
	`remote_id_attribute` text,
	PRIMARY KEY(`idp_id`, `id`),
	FOREIGN KEY (`idp_id`) REFERENCES `identity_providers`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `identity_provider_remote_ids` (
	`remote_id` text PRIMARY KEY NOT NULL,
	`idp_id` text NOT NULL,
	FOREIGN KEY (`idp_id`) REFERENCES `identity_providers`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `identity_provider_remote_ids_idp` ON `identity_provider_remote_ids` (`idp_id`);--> statement-breakpoint
CREATE TABLE `identity_providers` (
	`id` text PRIMARY KEY NOT NULL,
	`domain_id` text NOT NULL,
	`enabled` integer DEFAULT false NOT NULL,
	`description` text,
	`authorization_ttl` integer,
	`oidc` text,
	`client_secret_sealed` text,
	FOREIGN KEY (`domain_id`) REFERENCES `domains`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `identity_providers_domain` ON `identity_providers` (`domain_id`);--> statement-breakpoint
CREATE TABLE `service_providers` (
	`id` text PRIMARY KEY NOT NULL,
	`auth_url` text NOT NULL,
	`sp_url` text NOT NULL,
	`description` text,
	`enabled` integer DEFAULT false NOT NULL,
	`relay_state_prefix` text DEFAULT 'ss:mem:' NOT NULL
);
--> statement-breakpoint
DROP INDEX `users_name`;--> statement-breakpoint
ALTER TABLE `users` ADD `federated` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `users_local_name` ON `users` (`domain_id`,`name`) WHERE federated = 0;--> statement-breakpoint
CREATE INDEX `users_name` ON `users` (`domain_id`,`name`);