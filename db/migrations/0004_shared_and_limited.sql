CREATE TABLE `address_groups` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text DEFAULT '' NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`addresses` text NOT NULL,
	`revision` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `address_groups_project` ON `address_groups` (`project_id`);--> statement-breakpoint
CREATE TABLE `network_quotas` (
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`limits` text NOT NULL,
	PRIMARY KEY(`region`, `project_id`)
);
--> statement-breakpoint
CREATE TABLE `qos_policies` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`is_default` integer DEFAULT false NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`revision` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `qos_policies_project` ON `qos_policies` (`project_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `qos_policies_default` ON `qos_policies` (`region`,`project_id`) WHERE is_default = 1;--> statement-breakpoint
CREATE TABLE `qos_rules` (
	`id` text PRIMARY KEY NOT NULL,
	`policy_id` text NOT NULL,
	`type` text NOT NULL,
	`direction` text DEFAULT 'egress' NOT NULL,
	`max_kbps` integer,
	`max_burst_kbits` integer,
	`dscp_mark` integer,
	FOREIGN KEY (`policy_id`) REFERENCES `qos_policies`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `qos_rules_once` ON `qos_rules` (`policy_id`,`type`,`direction`);--> statement-breakpoint
CREATE TABLE `rbac_policies` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`object_type` text NOT NULL,
	`object_id` text NOT NULL,
	`action` text NOT NULL,
	`target_project` text NOT NULL,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `rbac_policies_once` ON `rbac_policies` (`object_id`,`action`,`target_project`);--> statement-breakpoint
CREATE INDEX `rbac_policies_target` ON `rbac_policies` (`target_project`,`object_type`);--> statement-breakpoint
CREATE INDEX `rbac_policies_project` ON `rbac_policies` (`project_id`);--> statement-breakpoint
CREATE TABLE `address_scopes` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`ip_version` integer NOT NULL,
	`created_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `address_scopes_project` ON `address_scopes` (`project_id`);--> statement-breakpoint
CREATE TABLE `subnetpools` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`ip_version` integer NOT NULL,
	`prefixes` text NOT NULL,
	`default_prefixlen` integer NOT NULL,
	`min_prefixlen` integer NOT NULL,
	`max_prefixlen` integer NOT NULL,
	`default_quota` integer,
	`is_default` integer DEFAULT false NOT NULL,
	`address_scope_id` text,
	`tags` text DEFAULT '[]' NOT NULL,
	`revision` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	FOREIGN KEY (`address_scope_id`) REFERENCES `address_scopes`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `subnetpools_project` ON `subnetpools` (`project_id`);--> statement-breakpoint
CREATE INDEX `subnetpools_scope` ON `subnetpools` (`address_scope_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `subnetpools_default` ON `subnetpools` (`region`,`ip_version`) WHERE is_default = 1;--> statement-breakpoint
CREATE TABLE `subports` (
	`port_id` text PRIMARY KEY NOT NULL,
	`trunk_id` text NOT NULL,
	`segmentation_type` text NOT NULL,
	`segmentation_id` integer NOT NULL,
	FOREIGN KEY (`port_id`) REFERENCES `ports`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`trunk_id`) REFERENCES `trunks`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `subports_segment` ON `subports` (`trunk_id`,`segmentation_type`,`segmentation_id`);--> statement-breakpoint
CREATE TABLE `trunks` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text DEFAULT '' NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`port_id` text NOT NULL,
	`admin_state_up` integer DEFAULT true NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`revision` integer DEFAULT 0 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	FOREIGN KEY (`port_id`) REFERENCES `ports`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `trunks_portId_unique` ON `trunks` (`port_id`);--> statement-breakpoint
CREATE INDEX `trunks_project` ON `trunks` (`project_id`);--> statement-breakpoint
ALTER TABLE `desired` ADD `applied_generation` integer;--> statement-breakpoint
INSERT INTO `rbac_policies` (`id`, `region`, `project_id`, `object_type`, `object_id`, `action`, `target_project`, `created_at_ms`)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))),
  region, project_id, 'network', id, 'access_as_shared', '*', created_at_ms FROM networks WHERE shared = 1;