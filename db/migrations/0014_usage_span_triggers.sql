-- What resources were, and for how long, written by the transaction that changes them: see docs/metering.md.
-- A span ends where the next begins. A change that says an earlier time than the last one (a clock went back) counts from
-- there on. Where a row says no time of its own for a change, the database's clock does. What lives when this is applied
-- is counted from then on: nobody knows what it was before.
CREATE TRIGGER `usage_of_new_server` AFTER INSERT ON `servers`
WHEN NEW.`deleted_at_ms` IS NULL
BEGIN
  INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
  SELECT NEW.`region`, NEW.`project_id`, 'server', NEW.`id`, coalesce(NEW.`name`, ''), NEW.`flavor` ->> '$.name', NEW.`vm_state`, 1,
    max(NEW.`created_at_ms`, coalesce((SELECT `last`.`end_ms` FROM `usage_spans` `last` WHERE `last`.`resource_type` = 'server' AND `last`.`resource_id` = NEW.`id` ORDER BY `last`.`start_ms` DESC, `last`.`id` DESC LIMIT 1), 0))
  WHERE NEW.`deleted_at_ms` IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_of_server` AFTER UPDATE OF `vm_state`, `flavor`, `project_id`, `deleted_at_ms` ON `servers`
WHEN NEW.`vm_state` IS NOT OLD.`vm_state` OR NEW.`project_id` IS NOT OLD.`project_id` OR (NEW.`deleted_at_ms` IS NULL) <> (OLD.`deleted_at_ms` IS NULL)
  OR (NEW.`flavor` IS NOT OLD.`flavor` AND NEW.`flavor` ->> '$.name' IS NOT OLD.`flavor` ->> '$.name')
BEGIN
  UPDATE `usage_spans` SET `end_ms` = max(`start_ms`, CASE WHEN NEW.`deleted_at_ms` IS NOT OLD.`deleted_at_ms` AND NEW.`deleted_at_ms` IS NOT NULL THEN NEW.`deleted_at_ms`
      WHEN NEW.`updated_at_ms` IS NOT OLD.`updated_at_ms` THEN NEW.`updated_at_ms` ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END)
  WHERE `resource_type` = 'server' AND `resource_id` = NEW.`id` AND `end_ms` IS NULL;
  INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
  SELECT NEW.`region`, NEW.`project_id`, 'server', NEW.`id`, coalesce(NEW.`name`, ''), NEW.`flavor` ->> '$.name', NEW.`vm_state`, 1,
    max(CASE WHEN NEW.`deleted_at_ms` IS NOT OLD.`deleted_at_ms` AND NEW.`deleted_at_ms` IS NOT NULL THEN NEW.`deleted_at_ms`
      WHEN NEW.`updated_at_ms` IS NOT OLD.`updated_at_ms` THEN NEW.`updated_at_ms` ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END, coalesce((SELECT `last`.`end_ms` FROM `usage_spans` `last` WHERE `last`.`resource_type` = 'server' AND `last`.`resource_id` = NEW.`id` ORDER BY `last`.`start_ms` DESC, `last`.`id` DESC LIMIT 1), 0))
  WHERE NEW.`deleted_at_ms` IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_names_server` AFTER UPDATE OF `name` ON `servers`
WHEN NEW.`name` IS NOT OLD.`name`
BEGIN
  UPDATE `usage_spans` SET `resource_name` = coalesce(NEW.`name`, '')
  WHERE `resource_type` = 'server' AND `resource_id` = NEW.`id` AND `end_ms` IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_ends_with_server` AFTER DELETE ON `servers`
BEGIN
  UPDATE `usage_spans` SET `end_ms` = max(`start_ms`, CAST(unixepoch('subsec') * 1000 AS INTEGER))
  WHERE `resource_type` = 'server' AND `resource_id` = OLD.`id` AND `end_ms` IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_of_new_floating_ip` AFTER INSERT ON `floating_ips`
BEGIN
  INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
  SELECT NEW.`region`, NEW.`project_id`, 'floating_ip', NEW.`id`, coalesce(NEW.`floating_ip_address`, ''), 'default', CASE WHEN NEW.`port_id` IS NULL AND NEW.`router_id` IS NULL THEN 'idle' ELSE 'associated' END, 1,
    max(NEW.`created_at_ms`, coalesce((SELECT `last`.`end_ms` FROM `usage_spans` `last` WHERE `last`.`resource_type` = 'floating_ip' AND `last`.`resource_id` = NEW.`id` ORDER BY `last`.`start_ms` DESC, `last`.`id` DESC LIMIT 1), 0))
  WHERE 1;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_of_floating_ip` AFTER UPDATE OF `port_id`, `router_id`, `project_id` ON `floating_ips`
WHEN NEW.`project_id` IS NOT OLD.`project_id`
  OR (NEW.`port_id` IS NULL AND NEW.`router_id` IS NULL) <> (OLD.`port_id` IS NULL AND OLD.`router_id` IS NULL)
BEGIN
  UPDATE `usage_spans` SET `end_ms` = max(`start_ms`, CASE WHEN NEW.`updated_at_ms` IS NOT OLD.`updated_at_ms` THEN NEW.`updated_at_ms` ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END)
  WHERE `resource_type` = 'floating_ip' AND `resource_id` = NEW.`id` AND `end_ms` IS NULL;
  INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
  SELECT NEW.`region`, NEW.`project_id`, 'floating_ip', NEW.`id`, coalesce(NEW.`floating_ip_address`, ''), 'default', CASE WHEN NEW.`port_id` IS NULL AND NEW.`router_id` IS NULL THEN 'idle' ELSE 'associated' END, 1,
    max(CASE WHEN NEW.`updated_at_ms` IS NOT OLD.`updated_at_ms` THEN NEW.`updated_at_ms` ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END, coalesce((SELECT `last`.`end_ms` FROM `usage_spans` `last` WHERE `last`.`resource_type` = 'floating_ip' AND `last`.`resource_id` = NEW.`id` ORDER BY `last`.`start_ms` DESC, `last`.`id` DESC LIMIT 1), 0))
  WHERE 1;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_names_floating_ip` AFTER UPDATE OF `floating_ip_address` ON `floating_ips`
WHEN NEW.`floating_ip_address` IS NOT OLD.`floating_ip_address`
BEGIN
  UPDATE `usage_spans` SET `resource_name` = coalesce(NEW.`floating_ip_address`, '')
  WHERE `resource_type` = 'floating_ip' AND `resource_id` = NEW.`id` AND `end_ms` IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_ends_with_floating_ip` AFTER DELETE ON `floating_ips`
BEGIN
  UPDATE `usage_spans` SET `end_ms` = max(`start_ms`, CAST(unixepoch('subsec') * 1000 AS INTEGER))
  WHERE `resource_type` = 'floating_ip' AND `resource_id` = OLD.`id` AND `end_ms` IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_of_new_image` AFTER INSERT ON `images`
WHEN NEW.`status` IN ('active', 'deactivated')
BEGIN
  INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
  SELECT NEW.`region`, NEW.`project_id`, 'image', NEW.`id`, coalesce(NEW.`name`, ''), 'default', NEW.`status`, coalesce(NEW.`size_bytes`, 0),
    max(NEW.`created_at_ms`, coalesce((SELECT `last`.`end_ms` FROM `usage_spans` `last` WHERE `last`.`resource_type` = 'image' AND `last`.`resource_id` = NEW.`id` ORDER BY `last`.`start_ms` DESC, `last`.`id` DESC LIMIT 1), 0))
  WHERE NEW.`status` IN ('active', 'deactivated');
END;
--> statement-breakpoint
CREATE TRIGGER `usage_of_image` AFTER UPDATE OF `status`, `size_bytes`, `project_id` ON `images`
WHEN (NEW.`status` IS NOT OLD.`status` OR NEW.`project_id` IS NOT OLD.`project_id` OR NEW.`size_bytes` IS NOT OLD.`size_bytes`)
  AND (NEW.`status` IN ('active', 'deactivated') OR OLD.`status` IN ('active', 'deactivated'))
BEGIN
  UPDATE `usage_spans` SET `end_ms` = max(`start_ms`, CASE WHEN NEW.`updated_at_ms` IS NOT OLD.`updated_at_ms` THEN NEW.`updated_at_ms` ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END)
  WHERE `resource_type` = 'image' AND `resource_id` = NEW.`id` AND `end_ms` IS NULL;
  INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
  SELECT NEW.`region`, NEW.`project_id`, 'image', NEW.`id`, coalesce(NEW.`name`, ''), 'default', NEW.`status`, coalesce(NEW.`size_bytes`, 0),
    max(CASE WHEN NEW.`updated_at_ms` IS NOT OLD.`updated_at_ms` THEN NEW.`updated_at_ms` ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END, coalesce((SELECT `last`.`end_ms` FROM `usage_spans` `last` WHERE `last`.`resource_type` = 'image' AND `last`.`resource_id` = NEW.`id` ORDER BY `last`.`start_ms` DESC, `last`.`id` DESC LIMIT 1), 0))
  WHERE NEW.`status` IN ('active', 'deactivated');
END;
--> statement-breakpoint
CREATE TRIGGER `usage_names_image` AFTER UPDATE OF `name` ON `images`
WHEN NEW.`name` IS NOT OLD.`name`
BEGIN
  UPDATE `usage_spans` SET `resource_name` = coalesce(NEW.`name`, '')
  WHERE `resource_type` = 'image' AND `resource_id` = NEW.`id` AND `end_ms` IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_ends_with_image` AFTER DELETE ON `images`
BEGIN
  UPDATE `usage_spans` SET `end_ms` = max(`start_ms`, CAST(unixepoch('subsec') * 1000 AS INTEGER))
  WHERE `resource_type` = 'image' AND `resource_id` = OLD.`id` AND `end_ms` IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_of_new_router` AFTER INSERT ON `routers`
BEGIN
  INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
  SELECT NEW.`region`, NEW.`project_id`, 'router', NEW.`id`, coalesce(NEW.`name`, ''), 'default', 'active', 1,
    max(NEW.`created_at_ms`, coalesce((SELECT `last`.`end_ms` FROM `usage_spans` `last` WHERE `last`.`resource_type` = 'router' AND `last`.`resource_id` = NEW.`id` ORDER BY `last`.`start_ms` DESC, `last`.`id` DESC LIMIT 1), 0))
  WHERE 1;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_of_router` AFTER UPDATE OF `project_id` ON `routers`
WHEN NEW.`project_id` IS NOT OLD.`project_id`
BEGIN
  UPDATE `usage_spans` SET `end_ms` = max(`start_ms`, CASE WHEN NEW.`updated_at_ms` IS NOT OLD.`updated_at_ms` THEN NEW.`updated_at_ms` ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END)
  WHERE `resource_type` = 'router' AND `resource_id` = NEW.`id` AND `end_ms` IS NULL;
  INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
  SELECT NEW.`region`, NEW.`project_id`, 'router', NEW.`id`, coalesce(NEW.`name`, ''), 'default', 'active', 1,
    max(CASE WHEN NEW.`updated_at_ms` IS NOT OLD.`updated_at_ms` THEN NEW.`updated_at_ms` ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END, coalesce((SELECT `last`.`end_ms` FROM `usage_spans` `last` WHERE `last`.`resource_type` = 'router' AND `last`.`resource_id` = NEW.`id` ORDER BY `last`.`start_ms` DESC, `last`.`id` DESC LIMIT 1), 0))
  WHERE 1;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_names_router` AFTER UPDATE OF `name` ON `routers`
WHEN NEW.`name` IS NOT OLD.`name`
BEGIN
  UPDATE `usage_spans` SET `resource_name` = coalesce(NEW.`name`, '')
  WHERE `resource_type` = 'router' AND `resource_id` = NEW.`id` AND `end_ms` IS NULL;
END;
--> statement-breakpoint
CREATE TRIGGER `usage_ends_with_router` AFTER DELETE ON `routers`
BEGIN
  UPDATE `usage_spans` SET `end_ms` = max(`start_ms`, CAST(unixepoch('subsec') * 1000 AS INTEGER))
  WHERE `resource_type` = 'router' AND `resource_id` = OLD.`id` AND `end_ms` IS NULL;
END;
--> statement-breakpoint
INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
SELECT `region`, `project_id`, 'server', `id`, coalesce(`name`, ''), `flavor` ->> '$.name', `vm_state`, 1, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM `servers` WHERE `deleted_at_ms` IS NULL;
--> statement-breakpoint
INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
SELECT `region`, `project_id`, 'floating_ip', `id`, coalesce(`floating_ip_address`, ''), 'default', CASE WHEN `port_id` IS NULL AND `router_id` IS NULL THEN 'idle' ELSE 'associated' END, 1, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM `floating_ips` WHERE 1;
--> statement-breakpoint
INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
SELECT `region`, `project_id`, 'image', `id`, coalesce(`name`, ''), 'default', `status`, coalesce(`size_bytes`, 0), CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM `images` WHERE `status` IN ('active', 'deactivated');
--> statement-breakpoint
INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
SELECT `region`, `project_id`, 'router', `id`, coalesce(`name`, ''), 'default', 'active', 1, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM `routers` WHERE 1;
