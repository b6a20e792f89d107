CREATE TABLE `floating_ips` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`floating_network_id` text NOT NULL,
	`floating_port_id` text NOT NULL,
	`floating_ip_address` text NOT NULL,
	`port_id` text,
	`fixed_ip_address` text,
	`router_id` text,
	`status` text DEFAULT 'DOWN' NOT NULL,
	`holder_id` text,
	`dns_name` text DEFAULT '' NOT NULL,
	`dns_domain` text DEFAULT '' NOT NULL,
	`qos_policy_id` text,
	`tags` text DEFAULT '[]' NOT NULL,
	`revision` integer DEFAULT 1 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	FOREIGN KEY (`floating_network_id`) REFERENCES `networks`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`floating_port_id`) REFERENCES `ports`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`port_id`) REFERENCES `ports`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`router_id`) REFERENCES `routers`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `floating_ips_project` ON `floating_ips` (`project_id`);--> statement-breakpoint
CREATE INDEX `floating_ips_router` ON `floating_ips` (`router_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `floating_ips_floating_port` ON `floating_ips` (`floating_port_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `floating_ips_fixed` ON `floating_ips` (`port_id`,`fixed_ip_address`,`floating_network_id`) WHERE port_id IS NOT NULL;--> statement-breakpoint
CREATE TABLE `port_forwardings` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`floating_ip_id` text NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`protocol` text NOT NULL,
	`external_first` integer,
	`external_last` integer,
	`internal_first` integer,
	`internal_last` integer,
	`port_id` text NOT NULL,
	`internal_ip_address` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	FOREIGN KEY (`floating_ip_id`) REFERENCES `floating_ips`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`port_id`) REFERENCES `ports`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `port_forwardings_floating_ip` ON `port_forwardings` (`floating_ip_id`);--> statement-breakpoint
CREATE INDEX `port_forwardings_port` ON `port_forwardings` (`port_id`);--> statement-breakpoint
CREATE TABLE `routers` (
	`id` text PRIMARY KEY NOT NULL,
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text DEFAULT '' NOT NULL,
	`description` text DEFAULT '' NOT NULL,
	`admin_state_up` integer DEFAULT true NOT NULL,
	`enable_snat` integer DEFAULT true NOT NULL,
	`routes` text DEFAULT '[]' NOT NULL,
	`availability_zone_hints` text DEFAULT '[]' NOT NULL,
	`tags` text DEFAULT '[]' NOT NULL,
	`revision` integer DEFAULT 1 NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `routers_project` ON `routers` (`project_id`);