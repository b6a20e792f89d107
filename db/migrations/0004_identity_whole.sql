CREATE TABLE `catalog_endpoints` (
	`id` text PRIMARY KEY NOT NULL,
	`service_id` text NOT NULL,
	`interface` text NOT NULL,
	`region_id` text,
	`url` text NOT NULL,
	`enabled` integer DEFAULT true NOT NULL,
	`extra` text DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE INDEX `catalog_endpoints_service` ON `catalog_endpoints` (`service_id`);--> statement-breakpoint
CREATE INDEX `catalog_endpoints_region` ON `catalog_endpoints` (`region_id`);--> statement-breakpoint
CREATE TABLE `catalog_regions` (
	`id` text PRIMARY KEY NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`parent_region_id` text,
	`extra` text DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `catalog_services` (
	`id` text PRIMARY KEY NOT NULL,
	`type` text NOT NULL,
	`enabled` integer DEFAULT true NOT NULL,
	`extra` text DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `domain_configs` (
	`domain_id` text PRIMARY KEY NOT NULL,
	`sealed` text NOT NULL,
	`changed_at_ms` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`domain_id`) REFERENCES `domains`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `endpoint_groups` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`description` text,
	`filters` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `limits` (
	`id` text PRIMARY KEY NOT NULL,
	`registered_limit_id` text NOT NULL,
	`project_id` text,
	`domain_id` text,
	`resource_limit` integer NOT NULL,
	`description` text,
	FOREIGN KEY (`registered_limit_id`) REFERENCES `registered_limits`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`domain_id`) REFERENCES `domains`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `limits_project` ON `limits` (`registered_limit_id`,`project_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `limits_domain` ON `limits` (`registered_limit_id`,`domain_id`);--> statement-breakpoint
CREATE TABLE `policies` (
	`id` text PRIMARY KEY NOT NULL,
	`type` text NOT NULL,
	`blob` text NOT NULL,
	`extra` text DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `project_endpoint_groups` (
	`project_id` text NOT NULL,
	`endpoint_group_id` text NOT NULL,
	PRIMARY KEY(`project_id`, `endpoint_group_id`),
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`endpoint_group_id`) REFERENCES `endpoint_groups`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `project_endpoints` (
	`project_id` text NOT NULL,
	`endpoint_id` text NOT NULL,
	PRIMARY KEY(`project_id`, `endpoint_id`),
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `registered_limits` (
	`id` text PRIMARY KEY NOT NULL,
	`service_id` text NOT NULL,
	`region_id` text DEFAULT '' NOT NULL,
	`resource_name` text NOT NULL,
	`default_limit` integer NOT NULL,
	`description` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `registered_limits_resource` ON `registered_limits` (`service_id`,`region_id`,`resource_name`);--> statement-breakpoint
CREATE TABLE `access_rules` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`service` text NOT NULL,
	`method` text NOT NULL,
	`path` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `access_rules_call` ON `access_rules` (`user_id`,`service`,`method`,`path`);--> statement-breakpoint
CREATE TABLE `application_credentials` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`description` text,
	`secret_hash` text NOT NULL,
	`expires_at_ms` integer,
	`unrestricted` integer DEFAULT false NOT NULL,
	`role_ids` text DEFAULT '[]' NOT NULL,
	`access_rule_ids` text,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `application_credentials_name` ON `application_credentials` (`user_id`,`name`);--> statement-breakpoint
CREATE INDEX `application_credentials_project` ON `application_credentials` (`project_id`);--> statement-breakpoint
CREATE TABLE `credentials` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`project_id` text,
	`type` text NOT NULL,
	`blob_sealed` text NOT NULL,
	`extra` text DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE INDEX `credentials_user` ON `credentials` (`user_id`,`type`);--> statement-breakpoint
CREATE INDEX `credentials_project` ON `credentials` (`project_id`);--> statement-breakpoint
CREATE TABLE `oauth_consumers` (
	`id` text PRIMARY KEY NOT NULL,
	`description` text,
	`secret_sealed` text NOT NULL,
	`extra` text DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `trusts` (
	`id` text PRIMARY KEY NOT NULL,
	`trustor_user_id` text NOT NULL,
	`trustee_user_id` text NOT NULL,
	`project_id` text,
	`impersonation` integer NOT NULL,
	`expires_at_ms` integer,
	`remaining_uses` integer,
	`redelegated_trust_id` text,
	`redelegation_count` integer DEFAULT 0 NOT NULL,
	`role_ids` text DEFAULT '[]' NOT NULL,
	`created_at_ms` integer NOT NULL,
	`extra` text DEFAULT '{}' NOT NULL,
	FOREIGN KEY (`trustor_user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`trustee_user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `trusts_trustor` ON `trusts` (`trustor_user_id`);--> statement-breakpoint
CREATE INDEX `trusts_trustee` ON `trusts` (`trustee_user_id`);--> statement-breakpoint
CREATE INDEX `trusts_project` ON `trusts` (`project_id`);--> statement-breakpoint
CREATE INDEX `trusts_redelegated` ON `trusts` (`redelegated_trust_id`);--> statement-breakpoint
CREATE TABLE `group_members` (
	`group_id` text NOT NULL,
	`user_id` text NOT NULL,
	PRIMARY KEY(`group_id`, `user_id`),
	FOREIGN KEY (`group_id`) REFERENCES `groups`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `group_members_user` ON `group_members` (`user_id`);--> statement-breakpoint
CREATE TABLE `groups` (
	`id` text PRIMARY KEY NOT NULL,
	`domain_id` text NOT NULL,
	`name` text NOT NULL,
	`description` text,
	`extra` text DEFAULT '{}' NOT NULL,
	FOREIGN KEY (`domain_id`) REFERENCES `domains`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `groups_name` ON `groups` (`domain_id`,`name`);--> statement-breakpoint
CREATE TABLE `implied_roles` (
	`prior_role_id` text NOT NULL,
	`implied_role_id` text NOT NULL,
	PRIMARY KEY(`prior_role_id`, `implied_role_id`),
	FOREIGN KEY (`prior_role_id`) REFERENCES `roles`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`implied_role_id`) REFERENCES `roles`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `implied_roles_implied` ON `implied_roles` (`implied_role_id`);--> statement-breakpoint
CREATE TABLE `password_history` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` text NOT NULL,
	`password_hash` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `password_history_user` ON `password_history` (`user_id`);--> statement-breakpoint
ALTER TABLE `users` ADD `password_expires_at_ms` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `failed_logins` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `failed_at_ms` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `active_at_ms` integer;--> statement-breakpoint
INSERT INTO `implied_roles` (`prior_role_id`, `implied_role_id`)
SELECT prior.id, implied.id FROM `roles` AS prior JOIN `roles` AS implied
WHERE prior.domain_id = '' AND implied.domain_id = ''
  AND (prior.name, implied.name) IN (VALUES ('admin', 'manager'), ('manager', 'member'), ('member', 'reader'));
