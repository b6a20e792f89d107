CREATE TABLE `auto_topologies` (
	`region` text NOT NULL,
	`project_id` text NOT NULL,
	`network_id` text NOT NULL,
	`router_id` text,
	PRIMARY KEY(`region`, `project_id`),
	FOREIGN KEY (`network_id`) REFERENCES `networks`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`router_id`) REFERENCES `routers`(`id`) ON UPDATE no action ON DELETE set null
);
