CREATE TABLE `assertions` (
	`name` text NOT NULL,
	CONSTRAINT "assertion" CHECK(0)
);
--> statement-breakpoint
CREATE TABLE `audit` (
	`id` text PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL,
	`region` text NOT NULL,
	`request_id` text NOT NULL,
	`actor_type` text NOT NULL,
	`actor_id` text NOT NULL,
	`project_id` text,
	`action` text NOT NULL,
	`target_type` text NOT NULL,
	`target_id` text NOT NULL,
	`detail` text
);
--> statement-breakpoint
CREATE INDEX `audit_target` ON `audit` (`target_type`,`target_id`);--> statement-breakpoint
CREATE INDEX `audit_project` ON `audit` (`project_id`,`at_ms`);--> statement-breakpoint
CREATE TABLE `flavor_access` (
	`region` text NOT NULL,
	`flavor_id` text NOT NULL,
	`project_id` text NOT NULL,
	PRIMARY KEY(`region`, `flavor_id`, `project_id`),
	FOREIGN KEY (`region`,`flavor_id`) REFERENCES `flavors`(`region`,`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `flavors` (
	`id` text NOT NULL,
	`region` text NOT NULL,
	`name` text NOT NULL,
	`description` text,
	`vcpus` integer NOT NULL,
	`ram_mib` integer NOT NULL,
	`disk_gib` integer NOT NULL,
	`ephemeral_gib` integer DEFAULT 0 NOT NULL,
	`swap_mib` integer DEFAULT 0 NOT NULL,
	`rxtx_factor` real DEFAULT 1 NOT NULL,
	`is_public` integer DEFAULT true NOT NULL,
	`extra_specs` text DEFAULT '{}' NOT NULL,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`region`, `id`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `flavors_name` ON `flavors` (`region`,`name`);--> statement-breakpoint
CREATE TABLE `keypairs` (
	`region` text NOT NULL,
	`user_id` text NOT NULL,
	`name` text NOT NULL,
	`type` text DEFAULT 'ssh' NOT NULL,
	`public_key` text NOT NULL,
	`fingerprint` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`region`, `user_id`, `name`)
);
--> statement-breakpoint
CREATE TABLE `server_action_events` (
	`server_id` text NOT NULL,
	`request_id` text NOT NULL,
	`event` text NOT NULL,
	`started_at_ms` integer NOT NULL,
	`finished_at_ms` integer,
	`result` text,
	`details` text,
	`runner_id` text,
	PRIMARY KEY(`server_id`, `request_id`, `event`)
);
--> statement-breakpoint
CREATE TABLE `server_actions` (
	`request_id` text NOT NULL,
	`server_id` text NOT NULL,
	`action` text NOT NULL,
	`user_id` text NOT NULL,
	`project_id` text NOT NULL,
	`started_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	`finished_at_ms` integer,
	`message` text,
	PRIMARY KEY(`server_id`, `request_id`)
);
--> statement-breakpoint
CREATE TABLE `servers` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`user_id` text NOT NULL,
	`number` integer NOT NULL,
	`name` text NOT NULL,
	`hostname` text NOT NULL,
	`description` text,
	`flavor` text NOT NULL,
	`image_id` text NOT NULL,
	`key_name` text,
	`runner_id` text,
	`zone` text NOT NULL,
	`reservation_id` text NOT NULL,
	`launch_index` integer DEFAULT 0 NOT NULL,
	`vm_state` text NOT NULL,
	`task_state` text,
	`task_deadline_ms` integer,
	`power_state` integer DEFAULT 0 NOT NULL,
	`progress` integer DEFAULT 0 NOT NULL,
	`epoch` integer DEFAULT 1 NOT NULL,
	`claimed_vcpus` integer DEFAULT 0 NOT NULL,
	`claimed_memory_mib` integer DEFAULT 0 NOT NULL,
	`claimed_disk_gib` integer DEFAULT 0 NOT NULL,
	`access_ip_v4` text,
	`access_ip_v6` text,
	`disk_config` text DEFAULT 'MANUAL' NOT NULL,
	`locked_by` text,
	`locked_reason` text,
	`config_drive` integer DEFAULT false NOT NULL,
	`user_data` text,
	`metadata` text DEFAULT '{}' NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`fault` text,
	`launched_at_ms` integer,
	`terminated_at_ms` integer,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	`deleted_at_ms` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `servers_number` ON `servers` (`region`,`number`);--> statement-breakpoint
CREATE INDEX `servers_project` ON `servers` (`region`,`project_id`,`deleted_at_ms`,`created_at_ms`,`number`);--> statement-breakpoint
CREATE INDEX `servers_region` ON `servers` (`region`,`deleted_at_ms`,`created_at_ms`,`number`);--> statement-breakpoint
CREATE INDEX `servers_runner` ON `servers` (`runner_id`);--> statement-breakpoint
CREATE INDEX `servers_reservation` ON `servers` (`reservation_id`);--> statement-breakpoint
CREATE INDEX `servers_deadline` ON `servers` (`task_deadline_ms`) WHERE task_deadline_ms IS NOT NULL;--> statement-breakpoint
CREATE TABLE `desired` (
	`runner_id` text NOT NULL,
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`generation` integer NOT NULL,
	`spec` text,
	`deleted` integer DEFAULT false NOT NULL,
	PRIMARY KEY(`runner_id`, `kind`, `id`),
	FOREIGN KEY (`runner_id`) REFERENCES `runners`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `desired_generation` ON `desired` (`runner_id`,`generation`);--> statement-breakpoint
CREATE INDEX `desired_object` ON `desired` (`kind`,`id`);--> statement-breakpoint
CREATE TABLE `join_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`token_hash` text NOT NULL,
	`zone` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`used_at_ms` integer,
	`used_by_runner_id` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `join_tokens_tokenHash_unique` ON `join_tokens` (`token_hash`);--> statement-breakpoint
CREATE TABLE `operations` (
	`op_id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`runner_id` text NOT NULL,
	`kind` text NOT NULL,
	`target_kind` text NOT NULL,
	`target_id` text NOT NULL,
	`target_epoch` integer NOT NULL,
	`request_id` text NOT NULL,
	`state` text NOT NULL,
	`attempt` integer DEFAULT 0 NOT NULL,
	`args` text NOT NULL,
	`result` text,
	`fault` text,
	`deadline_ms` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`finished_at_ms` integer,
	FOREIGN KEY (`runner_id`) REFERENCES `runners`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `operations_open` ON `operations` (`runner_id`) WHERE state IN ('queued', 'accepted');--> statement-breakpoint
CREATE INDEX `operations_target` ON `operations` (`target_kind`,`target_id`);--> statement-breakpoint
CREATE TABLE `runners` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`name` text NOT NULL,
	`zone` text NOT NULL,
	`public_key` text NOT NULL,
	`machine_id` text NOT NULL,
	`boot_id` text,
	`state` text NOT NULL,
	`state_reason` text,
	`epoch` integer DEFAULT 0 NOT NULL,
	`generation` integer DEFAULT 0 NOT NULL,
	`connected` integer DEFAULT false NOT NULL,
	`last_seen_at_ms` integer,
	`lease_expires_at_ms` integer,
	`version` text,
	`hypervisor` text,
	`capabilities` text DEFAULT '[]' NOT NULL,
	`vcpus` integer DEFAULT 0 NOT NULL,
	`memory_mib` integer DEFAULT 0 NOT NULL,
	`disk_gib` integer DEFAULT 0 NOT NULL,
	`vcpus_allocatable` integer DEFAULT 0 NOT NULL,
	`memory_mib_allocatable` integer DEFAULT 0 NOT NULL,
	`disk_gib_allocatable` integer DEFAULT 0 NOT NULL,
	`vcpus_claimed` integer DEFAULT 0 NOT NULL,
	`memory_mib_claimed` integer DEFAULT 0 NOT NULL,
	`disk_gib_claimed` integer DEFAULT 0 NOT NULL,
	`guests` integer DEFAULT 0 NOT NULL,
	`unknown_objects` text DEFAULT '[]' NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	CONSTRAINT "runner_claims_not_negative" CHECK(vcpus_claimed >= 0 AND memory_mib_claimed >= 0 AND disk_gib_claimed >= 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `runners_name` ON `runners` (`region`,`name`) WHERE state <> 'removed';--> statement-breakpoint
CREATE TABLE `assignments` (
	`actor_type` text NOT NULL,
	`actor_id` text NOT NULL,
	`target_type` text NOT NULL,
	`target_id` text NOT NULL,
	`role_id` text NOT NULL,
	`inherited` integer DEFAULT false NOT NULL,
	PRIMARY KEY(`actor_type`, `actor_id`, `target_type`, `target_id`, `role_id`, `inherited`),
	FOREIGN KEY (`role_id`) REFERENCES `roles`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `assignments_target` ON `assignments` (`target_type`,`target_id`);--> statement-breakpoint
CREATE INDEX `assignments_role` ON `assignments` (`role_id`);--> statement-breakpoint
CREATE TABLE `domains` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`description` text DEFAULT '',
	`enabled` integer DEFAULT true NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`options` text DEFAULT '{}' NOT NULL,
	`extra` text DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `domains_name_unique` ON `domains` (`name`);--> statement-breakpoint
CREATE TABLE `projects` (
	`id` text PRIMARY KEY NOT NULL,
	`domain_id` text NOT NULL,
	`parent_id` text,
	`name` text NOT NULL,
	`description` text DEFAULT '',
	`enabled` integer DEFAULT true NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`options` text DEFAULT '{}' NOT NULL,
	`extra` text DEFAULT '{}' NOT NULL,
	FOREIGN KEY (`domain_id`) REFERENCES `domains`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`parent_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `projects_name` ON `projects` (`domain_id`,`name`);--> statement-breakpoint
CREATE INDEX `projects_parent` ON `projects` (`parent_id`);--> statement-breakpoint
CREATE TABLE `revocations` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `revocations_expires` ON `revocations` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `roles` (
	`id` text PRIMARY KEY NOT NULL,
	`domain_id` text DEFAULT '' NOT NULL,
	`name` text NOT NULL,
	`description` text,
	`options` text DEFAULT '{}' NOT NULL,
	`extra` text DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `roles_name` ON `roles` (`domain_id`,`name`);--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`domain_id` text NOT NULL,
	`name` text NOT NULL,
	`password_hash` text,
	`password_changed_at_ms` integer,
	`email` text,
	`description` text,
	`default_project_id` text,
	`enabled` integer DEFAULT true NOT NULL,
	`created_at_ms` integer NOT NULL,
	`options` text DEFAULT '{}' NOT NULL,
	`extra` text DEFAULT '{}' NOT NULL,
	FOREIGN KEY (`domain_id`) REFERENCES `domains`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_name` ON `users` (`domain_id`,`name`);--> statement-breakpoint
CREATE INDEX `users_default_project` ON `users` (`default_project_id`);--> statement-breakpoint
CREATE TABLE `image_members` (
	`image_id` text NOT NULL,
	`member_id` text NOT NULL,
	`status` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`image_id`, `member_id`),
	FOREIGN KEY (`image_id`) REFERENCES `images`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `image_members_member` ON `image_members` (`member_id`);--> statement-breakpoint
CREATE TABLE `images` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text,
	`status` text NOT NULL,
	`visibility` text NOT NULL,
	`protected` integer DEFAULT false NOT NULL,
	`os_hidden` integer DEFAULT false NOT NULL,
	`container_format` text,
	`disk_format` text,
	`min_disk_gib` integer DEFAULT 0 NOT NULL,
	`min_ram_mib` integer DEFAULT 0 NOT NULL,
	`size_bytes` integer,
	`virtual_size_bytes` integer,
	`md5` text,
	`sha256` text,
	`sha512` text,
	`blob_key` text,
	`properties` text DEFAULT '{}' NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `images_list` ON `images` (`region`,`created_at_ms`,`id`) WHERE status <> 'deleted';--> statement-breakpoint
CREATE INDEX `images_project` ON `images` (`project_id`);--> statement-breakpoint
CREATE INDEX `images_saving` ON `images` (`blob_key`) WHERE status = 'saving';--> statement-breakpoint
CREATE TABLE `loose_blobs` (
	`key` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`after_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `loose_blobs_due` ON `loose_blobs` (`region`,`after_ms`);--> statement-breakpoint
CREATE TABLE `ip_allocations` (
	`subnet_id` text NOT NULL,
	`host_offset` integer NOT NULL,
	`ip_address` text NOT NULL,
	`port_id` text NOT NULL,
	`position` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`subnet_id`, `host_offset`),
	FOREIGN KEY (`subnet_id`) REFERENCES `subnets`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`port_id`) REFERENCES `ports`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `ip_allocations_port` ON `ip_allocations` (`port_id`);--> statement-breakpoint
CREATE TABLE `networks` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text DEFAULT '' NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`admin_state_up` integer DEFAULT true NOT NULL,
	`shared` integer DEFAULT false NOT NULL,
	`mtu` integer DEFAULT 1450 NOT NULL,
	`port_security_enabled` integer DEFAULT true NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`revision` integer DEFAULT 1 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `networks_project` ON `networks` (`project_id`);--> statement-breakpoint
CREATE TABLE `port_security_groups` (
	`port_id` text NOT NULL,
	`group_id` text NOT NULL,
	PRIMARY KEY(`port_id`, `group_id`),
	FOREIGN KEY (`port_id`) REFERENCES `ports`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`group_id`) REFERENCES `security_groups`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `port_security_groups_group` ON `port_security_groups` (`group_id`);--> statement-breakpoint
CREATE TABLE `ports` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`network_id` text NOT NULL,
	`name` text DEFAULT '' NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`mac_address` text NOT NULL,
	`admin_state_up` integer DEFAULT true NOT NULL,
	`status` text DEFAULT 'DOWN' NOT NULL,
	`port_security_enabled` integer DEFAULT true NOT NULL,
	`device_id` text DEFAULT '' NOT NULL,
	`device_owner` text DEFAULT '' NOT NULL,
	`runner_id` text,
	`owned_by_server` integer DEFAULT false NOT NULL,
	`dns_name` text DEFAULT '' NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`revision` integer DEFAULT 1 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	FOREIGN KEY (`network_id`) REFERENCES `networks`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `ports_mac` ON `ports` (`region`,`mac_address`);--> statement-breakpoint
CREATE INDEX `ports_network` ON `ports` (`network_id`);--> statement-breakpoint
CREATE INDEX `ports_device` ON `ports` (`device_id`);--> statement-breakpoint
CREATE INDEX `ports_project` ON `ports` (`project_id`);--> statement-breakpoint
CREATE TABLE `security_group_rules` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`group_id` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`direction` text NOT NULL,
	`ethertype` text NOT NULL,
	`protocol` text,
	`port_range_min` integer,
	`port_range_max` integer,
	`remote_ip_prefix` text,
	`remote_group_id` text,
	`created_at_ms` integer NOT NULL,
	FOREIGN KEY (`group_id`) REFERENCES `security_groups`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `security_group_rules_group` ON `security_group_rules` (`group_id`);--> statement-breakpoint
CREATE INDEX `security_group_rules_remote` ON `security_group_rules` (`remote_group_id`);--> statement-breakpoint
CREATE TABLE `security_groups` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`stateful` integer DEFAULT true NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`revision` integer DEFAULT 1 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `security_groups_project` ON `security_groups` (`project_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `security_groups_default` ON `security_groups` (`region`,`project_id`) WHERE name = 'default';--> statement-breakpoint
CREATE TABLE `subnets` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`network_id` text NOT NULL,
	`name` text DEFAULT '' NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`ip_version` integer NOT NULL,
	`cidr` text NOT NULL,
	`gateway_ip` text,
	`enable_dhcp` integer DEFAULT true NOT NULL,
	`dns_nameservers` text DEFAULT '[]' NOT NULL,
	`host_routes` text DEFAULT '[]' NOT NULL,
	`allocation_pools` text NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`revision` integer DEFAULT 1 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	FOREIGN KEY (`network_id`) REFERENCES `networks`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `subnets_network` ON `subnets` (`network_id`);