-- A port of nobody, as a router's gateway has one, tells nothing: its router does.
CREATE TRIGGER events_of_new_ports AFTER INSERT ON ports WHEN NEW.project_id <> '' BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', NEW.region, NEW.project_id, 'port.created', NEW.id, 0, NEW.created_at_ms, json_object('id', NEW.id, 'name', NEW.name, 'network_id', NEW.network_id, 'status', NEW.status,
      'admin_state_up', json(iif(NEW.admin_state_up, 'true', 'false')), 'mac_address', NEW.mac_address, 'device_id', NEW.device_id,
      'device_owner', NEW.device_owner));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_ports AFTER UPDATE OF status, name, description, admin_state_up, device_id, device_owner, mac_address, port_security_enabled, dns_name, allowed_address_pairs,
  extra_dhcp_opts, binding_profile, vnic_type, tags, project_id, qos_policy_id ON ports
WHEN NEW.project_id <> '' BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    SELECT '', NEW.region, NEW.project_id, happened.type, NEW.id, 0, CASE WHEN OLD.updated_at_ms <> NEW.updated_at_ms THEN NEW.updated_at_ms ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END, json_object('id', NEW.id, 'name', NEW.name, 'network_id', NEW.network_id, 'status', NEW.status,
      'admin_state_up', json(iif(NEW.admin_state_up, 'true', 'false')), 'mac_address', NEW.mac_address, 'device_id', NEW.device_id,
      'device_owner', NEW.device_owner)
    FROM (
      SELECT 1 AS place, 'port.updated' AS type WHERE OLD.name <> NEW.name OR OLD.description <> NEW.description OR OLD.admin_state_up <> NEW.admin_state_up
        OR OLD.device_id <> NEW.device_id OR OLD.device_owner <> NEW.device_owner OR OLD.mac_address <> NEW.mac_address
        OR OLD.port_security_enabled <> NEW.port_security_enabled OR OLD.dns_name <> NEW.dns_name
        OR OLD.allowed_address_pairs <> NEW.allowed_address_pairs OR OLD.extra_dhcp_opts <> NEW.extra_dhcp_opts
        OR OLD.binding_profile <> NEW.binding_profile OR OLD.vnic_type <> NEW.vnic_type OR OLD.tags <> NEW.tags
        OR OLD.project_id <> NEW.project_id OR OLD.qos_policy_id IS NOT NEW.qos_policy_id
      UNION ALL SELECT 2, 'port.' || lower(NEW.status) WHERE OLD.status <> NEW.status AND NEW.status <> 'BUILD'
    ) AS happened ORDER BY happened.place;
END;
--> statement-breakpoint
CREATE TRIGGER events_of_deleted_ports AFTER DELETE ON ports WHEN OLD.project_id <> '' BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', OLD.region, OLD.project_id, 'port.deleted', OLD.id, 0, CAST(unixepoch('subsec') * 1000 AS INTEGER), json_object('id', OLD.id, 'name', OLD.name, 'network_id', OLD.network_id, 'status', OLD.status,
      'admin_state_up', json(iif(OLD.admin_state_up, 'true', 'false')), 'mac_address', OLD.mac_address, 'device_id', OLD.device_id,
      'device_owner', OLD.device_owner));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_new_routers AFTER INSERT ON routers BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', NEW.region, NEW.project_id, 'router.created', NEW.id, 0, NEW.created_at_ms, json_object('id', NEW.id, 'name', NEW.name, 'admin_state_up', json(iif(NEW.admin_state_up, 'true', 'false')),
      'enable_snat', json(iif(NEW.enable_snat, 'true', 'false'))));
END;
--> statement-breakpoint
-- Its gateway and interfaces are rows of their own: what changes one of them raises the router's revision.
CREATE TRIGGER events_of_routers AFTER UPDATE ON routers
WHEN OLD.revision <> NEW.revision OR OLD.tags <> NEW.tags OR OLD.project_id <> NEW.project_id BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', NEW.region, NEW.project_id, 'router.updated', NEW.id, 0, CASE WHEN OLD.updated_at_ms <> NEW.updated_at_ms THEN NEW.updated_at_ms ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END, json_object('id', NEW.id, 'name', NEW.name, 'admin_state_up', json(iif(NEW.admin_state_up, 'true', 'false')),
      'enable_snat', json(iif(NEW.enable_snat, 'true', 'false'))));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_deleted_routers AFTER DELETE ON routers BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', OLD.region, OLD.project_id, 'router.deleted', OLD.id, 0, CAST(unixepoch('subsec') * 1000 AS INTEGER), json_object('id', OLD.id, 'name', OLD.name, 'admin_state_up', json(iif(OLD.admin_state_up, 'true', 'false')),
      'enable_snat', json(iif(OLD.enable_snat, 'true', 'false'))));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_new_images AFTER INSERT ON images BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', NEW.region, NEW.project_id, 'image.created', NEW.id, 0, NEW.created_at_ms, json_object('id', NEW.id, 'name', NEW.name, 'status', NEW.status, 'previous_status', NULL,
      'visibility', NEW.visibility, 'protected', json(iif(NEW.protected, 'true', 'false')), 'disk_format', NEW.disk_format,
      'container_format', NEW.container_format, 'size_bytes', NEW.size_bytes));
END;
--> statement-breakpoint
-- Its end before all, what is said of it before its status. On its way to either end a status is nobody's business.
CREATE TRIGGER events_of_images AFTER UPDATE OF status, name, visibility, protected, os_hidden, min_disk_gib, min_ram_mib, properties, tags,
  project_id, disk_format, container_format ON images WHEN OLD.status <> 'deleted' BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    SELECT '', NEW.region, NEW.project_id, happened.type, NEW.id, 0, CASE WHEN OLD.updated_at_ms <> NEW.updated_at_ms THEN NEW.updated_at_ms ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END, json_object('id', NEW.id, 'name', NEW.name, 'status', NEW.status, 'previous_status', OLD.status,
      'visibility', NEW.visibility, 'protected', json(iif(NEW.protected, 'true', 'false')), 'disk_format', NEW.disk_format,
      'container_format', NEW.container_format, 'size_bytes', NEW.size_bytes)
    FROM (
      SELECT 1 AS place, 'image.deleted' AS type WHERE NEW.status = 'deleted'
      UNION ALL SELECT 2, 'image.updated' WHERE NEW.status <> 'deleted' AND (OLD.visibility <> NEW.visibility OR OLD.protected <> NEW.protected OR OLD.os_hidden <> NEW.os_hidden
        OR OLD.min_disk_gib <> NEW.min_disk_gib OR OLD.min_ram_mib <> NEW.min_ram_mib OR OLD.properties <> NEW.properties
        OR OLD.tags <> NEW.tags OR OLD.project_id <> NEW.project_id OR OLD.name IS NOT NEW.name
        OR OLD.disk_format IS NOT NEW.disk_format OR OLD.container_format IS NOT NEW.container_format)
      UNION ALL SELECT 3, 'image.' || NEW.status WHERE OLD.status <> NEW.status AND NEW.status IN ('active', 'deactivated', 'queued')
    ) AS happened ORDER BY happened.place;
END;
--> statement-breakpoint
CREATE TRIGGER events_of_removed_images AFTER DELETE ON images WHEN OLD.status <> 'deleted' BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', OLD.region, OLD.project_id, 'image.deleted', OLD.id, 0, CAST(unixepoch('subsec') * 1000 AS INTEGER), json_object('id', OLD.id, 'name', OLD.name, 'status', 'deleted', 'previous_status', OLD.status,
      'visibility', OLD.visibility, 'protected', json(iif(OLD.protected, 'true', 'false')), 'disk_format', OLD.disk_format,
      'container_format', OLD.container_format, 'size_bytes', OLD.size_bytes));
END;
