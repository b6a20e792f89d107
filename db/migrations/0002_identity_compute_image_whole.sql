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
	`expires_micros` integer DEFAULT 0 NOT NULL,
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
CREATE TABLE `group_members` (
	`group_id` text NOT NULL,
	`user_id` text NOT NULL,
	`expires_at_ms` integer,
	`idp_id` text,
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
--> statement-breakpoint
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
CREATE INDEX `server_migrations_held` ON `server_migrations` (`held_runner_id`) WHERE held_runner_id IS NOT NULL;--> statement-breakpoint
DROP INDEX `images_project`;--> statement-breakpoint
DROP INDEX `images_saving`;--> statement-breakpoint
ALTER TABLE `images` ADD `staged` text;--> statement-breakpoint
CREATE INDEX `images_own` ON `images` (`project_id`,`region`,`created_at_ms`,`id`) WHERE status <> 'deleted';--> statement-breakpoint
CREATE INDEX `images_open` ON `images` (`region`,`visibility`,`created_at_ms`,`id`) WHERE status <> 'deleted';--> statement-breakpoint
CREATE INDEX `images_usage` ON `images` (`project_id`,`region`,`status`,`size_bytes`);--> statement-breakpoint
CREATE INDEX `images_writing` ON `images` (`blob_key`) WHERE status IN ('saving', 'uploading');--> statement-breakpoint
DROP INDEX `users_name`;--> statement-breakpoint
ALTER TABLE `users` ADD `federated` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `password_expires_at_ms` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `failed_logins` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `failed_at_ms` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `active_at_ms` integer;--> statement-breakpoint
CREATE UNIQUE INDEX `users_local_name` ON `users` (`domain_id`,`name`) WHERE federated = 0;--> statement-breakpoint
CREATE INDEX `users_name` ON `users` (`domain_id`,`name`);--> statement-breakpoint
ALTER TABLE `servers` ADD `shelved_image_id` text;--> statement-breakpoint
ALTER TABLE `servers` ADD `shelved_spec` text;--> statement-breakpoint
ALTER TABLE `runners` ADD `home_zone` text;--> statement-breakpoint
ALTER TABLE `runners` ADD `forced_down` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `runners` ADD `vcpu_ratio` real;--> statement-breakpoint
ALTER TABLE `runners` ADD `memory_ratio` real;--> statement-breakpoint
ALTER TABLE `runners` ADD `disk_ratio` real;--> statement-breakpoint
INSERT INTO `implied_roles` (`prior_role_id`, `implied_role_id`)
SELECT prior.id, implied.id FROM `roles` AS prior JOIN `roles` AS implied
WHERE prior.domain_id = '' AND implied.domain_id = ''
  AND (prior.name, implied.name) IN (VALUES ('admin', 'manager'), ('manager', 'member'), ('member', 'reader'));
