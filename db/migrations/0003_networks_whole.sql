ALTER TABLE `runners` ADD `tunnel_ip` text;--> statement-breakpoint
ALTER TABLE `runners` ADD `physical_networks` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `networks` ADD `external` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `networks` ADD `is_default` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `networks` ADD `network_type` text DEFAULT 'local' NOT NULL;--> statement-breakpoint
ALTER TABLE `networks` ADD `physical_network` text;--> statement-breakpoint
ALTER TABLE `networks` ADD `segmentation_id` integer;--> statement-breakpoint
ALTER TABLE `networks` ADD `multi_host` integer DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE `networks` ADD `availability_zone_hints` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `networks` ADD `dns_domain` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `networks` ADD `qos_policy_id` text;--> statement-breakpoint
CREATE UNIQUE INDEX `networks_vxlan` ON `networks` (`region`,`segmentation_id`) WHERE network_type = 'vxlan';--> statement-breakpoint
CREATE UNIQUE INDEX `networks_vlan` ON `networks` (`region`,`physical_network`,`segmentation_id`) WHERE network_type = 'vlan';--> statement-breakpoint
CREATE UNIQUE INDEX `networks_flat` ON `networks` (`region`,`physical_network`) WHERE network_type = 'flat';--> statement-breakpoint
ALTER TABLE `ports` ADD `allowed_address_pairs` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `ports` ADD `extra_dhcp_opts` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `ports` ADD `vnic_type` text DEFAULT 'normal' NOT NULL;--> statement-breakpoint
ALTER TABLE `ports` ADD `binding_profile` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `ports` ADD `qos_policy_id` text;--> statement-breakpoint
ALTER TABLE `security_group_rules` ADD `remote_address_group_id` text;--> statement-breakpoint
ALTER TABLE `subnets` ADD `ipv6_ra_mode` text;--> statement-breakpoint
ALTER TABLE `subnets` ADD `ipv6_address_mode` text;--> statement-breakpoint
ALTER TABLE `subnets` ADD `subnetpool_id` text;--> statement-breakpoint
ALTER TABLE `subnets` ADD `service_types` text DEFAULT '[]' NOT NULL;