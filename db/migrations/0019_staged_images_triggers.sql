-- An image whose data is staged and waits for its import has that data stored, too: it has a span from then on, in the state
-- `uploading`. What is staged when this is applied is counted from then on.
DROP TRIGGER `usage_of_new_image`;
--> statement-breakpoint
DROP TRIGGER `usage_of_image`;
--> statement-breakpoint
CREATE TRIGGER `usage_of_new_image` AFTER INSERT ON `images`
WHEN (NEW.`status` IN ('active', 'deactivated') OR (NEW.`status` = 'uploading' AND NEW.`staged` IS NOT NULL))
BEGIN
  INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
  SELECT NEW.`region`, NEW.`project_id`, 'image', NEW.`id`, coalesce(NEW.`name`, ''), 'default', NEW.`status`, coalesce(NEW.`size_bytes`, 0),
    max(NEW.`created_at_ms`, coalesce((SELECT `last`.`end_ms` FROM `usage_spans` `last` WHERE `last`.`resource_type` = 'image' AND `last`.`resource_id` = NEW.`id` ORDER BY `last`.`start_ms` DESC, `last`.`id` DESC LIMIT 1), 0))
  WHERE (NEW.`status` IN ('active', 'deactivated') OR (NEW.`status` = 'uploading' AND NEW.`staged` IS NOT NULL));
END;
--> statement-breakpoint
CREATE TRIGGER `usage_of_image` AFTER UPDATE OF `status`, `size_bytes`, `project_id`, `staged` ON `images`
WHEN (NEW.`status` IS NOT OLD.`status` OR (NEW.`staged` IS NULL) <> (OLD.`staged` IS NULL) OR NEW.`project_id` IS NOT OLD.`project_id` OR NEW.`size_bytes` IS NOT OLD.`size_bytes`)
  AND ((NEW.`status` IN ('active', 'deactivated') OR (NEW.`status` = 'uploading' AND NEW.`staged` IS NOT NULL)) OR (OLD.`status` IN ('active', 'deactivated') OR (OLD.`status` = 'uploading' AND OLD.`staged` IS NOT NULL)))
BEGIN
  UPDATE `usage_spans` SET `end_ms` = max(`start_ms`, CASE WHEN NEW.`updated_at_ms` IS NOT OLD.`updated_at_ms` THEN NEW.`updated_at_ms` ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END)
  WHERE `resource_type` = 'image' AND `resource_id` = NEW.`id` AND `end_ms` IS NULL;
  INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
  SELECT NEW.`region`, NEW.`project_id`, 'image', NEW.`id`, coalesce(NEW.`name`, ''), 'default', NEW.`status`, coalesce(NEW.`size_bytes`, 0),
    max(CASE WHEN NEW.`updated_at_ms` IS NOT OLD.`updated_at_ms` THEN NEW.`updated_at_ms` ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END, coalesce((SELECT `last`.`end_ms` FROM `usage_spans` `last` WHERE `last`.`resource_type` = 'image' AND `last`.`resource_id` = NEW.`id` ORDER BY `last`.`start_ms` DESC, `last`.`id` DESC LIMIT 1), 0))
  WHERE (NEW.`status` IN ('active', 'deactivated') OR (NEW.`status` = 'uploading' AND NEW.`staged` IS NOT NULL));
END;
--> statement-breakpoint
INSERT INTO `usage_spans` (`region`, `project_id`, `resource_type`, `resource_id`, `resource_name`, `item_type`, `state`, `quantity`, `start_ms`)
SELECT `region`, `project_id`, 'image', `id`, coalesce(`name`, ''), 'default', `status`, coalesce(`size_bytes`, 0), CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM `images` WHERE `status` = 'uploading' AND `staged` IS NOT NULL;
