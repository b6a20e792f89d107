-- An event gets its id where it brings none, its number among its resource's, and a delivery for each endpoint that wants it.
CREATE TRIGGER events_told AFTER INSERT ON events BEGIN
  INSERT INTO event_versions (resource_id, version, ended)
    VALUES (NEW.resource_id, 1, NEW.type GLOB '*.deleted' OR NEW.type GLOB '*.removed')
    ON CONFLICT (resource_id) DO UPDATE SET version = version + 1, ended = excluded.ended;
  UPDATE events SET
    version = (SELECT version FROM event_versions WHERE resource_id = NEW.resource_id),
    id = CASE WHEN NEW.id <> '' THEN NEW.id ELSE 'evt_' || lower(hex(randomblob(6)) || '4' || substr(hex(randomblob(2)), 2)
      || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || hex(randomblob(6))) END
    WHERE sequence = NEW.sequence;
  INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_sequence, type, status, next_attempt_ms, created_at_ms)
    SELECT lower(hex(randomblob(16))), endpoint.id, event.id, event.sequence, event.type, 'pending', event.at_ms, event.at_ms
    FROM events AS event JOIN webhook_endpoints AS endpoint ON endpoint.id IN (
      SELECT own.id FROM webhook_endpoints AS own WHERE own.region = NEW.region AND own.project_id = NEW.project_id
      UNION ALL SELECT regional.id FROM webhook_endpoints AS regional WHERE regional.region = NEW.region AND regional.project_id IS NULL)
    WHERE event.sequence = NEW.sequence AND endpoint.enabled = 1
      AND CASE WHEN event.type = 'webhook.test' THEN endpoint.id = event.resource_id
        ELSE EXISTS (SELECT 1 FROM json_each(endpoint.events) AS wanted WHERE event.type GLOB wanted.value) END;
END;
--> statement-breakpoint
-- An endpoint knows when it is due: the first of what waits for it, and not while it rests, nor while it is disabled.
CREATE TRIGGER webhook_deliveries_made AFTER INSERT ON webhook_deliveries BEGIN
  UPDATE webhook_endpoints SET due_at_ms = CASE WHEN enabled = 1 THEN (SELECT max(waiting.next_attempt_ms, coalesce(webhook_endpoints.paused_until_ms, 0))
      FROM webhook_deliveries AS waiting WHERE waiting.endpoint_id = NEW.endpoint_id AND waiting.status = 'pending'
      ORDER BY waiting.next_attempt_ms LIMIT 1) END
    WHERE id = NEW.endpoint_id;
END;
--> statement-breakpoint
CREATE TRIGGER webhook_deliveries_moved AFTER UPDATE OF status, next_attempt_ms ON webhook_deliveries BEGIN
  UPDATE webhook_endpoints SET due_at_ms = CASE WHEN enabled = 1 THEN (SELECT max(waiting.next_attempt_ms, coalesce(webhook_endpoints.paused_until_ms, 0))
      FROM webhook_deliveries AS waiting WHERE waiting.endpoint_id = NEW.endpoint_id AND waiting.status = 'pending'
      ORDER BY waiting.next_attempt_ms LIMIT 1) END
    WHERE id = NEW.endpoint_id;
END;
--> statement-breakpoint
CREATE TRIGGER webhook_endpoints_paused AFTER UPDATE OF paused_until_ms ON webhook_endpoints BEGIN
  UPDATE webhook_endpoints SET due_at_ms = CASE WHEN enabled = 1 THEN (SELECT max(waiting.next_attempt_ms, coalesce(NEW.paused_until_ms, 0))
      FROM webhook_deliveries AS waiting WHERE waiting.endpoint_id = NEW.id AND waiting.status = 'pending'
      ORDER BY waiting.next_attempt_ms LIMIT 1) END
    WHERE id = NEW.id;
END;
--> statement-breakpoint
-- One that is disabled gives up what waits for it, and the others of its project are told.
CREATE TRIGGER webhook_endpoints_disabled AFTER UPDATE OF enabled ON webhook_endpoints
WHEN OLD.enabled = 1 AND NEW.enabled = 0 BEGIN
  UPDATE webhook_deliveries SET status = 'failed', reason = 'endpoint-disabled', next_attempt_ms = NULL, finished_at_ms = NEW.updated_at_ms
    WHERE endpoint_id = NEW.id AND status = 'pending';
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', NEW.region, NEW.project_id, 'webhook.endpoint.disabled', NEW.id, 0, NEW.updated_at_ms,
      json_object('id', NEW.id, 'description', NEW.description, 'reason', NEW.disabled_reason,
        'failing_since', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.failing_since_ms / 1000.0, 'unixepoch')));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_new_servers AFTER INSERT ON servers BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', NEW.region, NEW.project_id, 'server.created', NEW.id, 0, NEW.created_at_ms, json_object(
      'id', NEW.id, 'name', NEW.name, 'state', NEW.vm_state, 'previous_state', NULL,
      'flavor', json_object('id', NEW.flavor ->> '$.id', 'name', NEW.flavor ->> '$.name', 'vcpus', NEW.flavor ->> '$.vcpus',
        'ram_mib', NEW.flavor ->> '$.ramMib', 'disk_gib', NEW.flavor ->> '$.diskGib'),
      'image_id', NEW.image_id, 'availability_zone', NEW.zone, 'user_id', NEW.user_id, 'fault', NULL));
END;
--> statement-breakpoint
-- What was changed of a server, each as an event of its own: its end before all, its flavor before its state.
CREATE TRIGGER events_of_servers AFTER UPDATE OF vm_state, deleted_at_ms, flavor, name, description, metadata, tags, locked_by, access_ip_v4, access_ip_v6 ON servers
WHEN OLD.vm_state <> NEW.vm_state OR OLD.deleted_at_ms IS NOT NEW.deleted_at_ms OR OLD.flavor IS NOT NEW.flavor
  OR OLD.name <> NEW.name OR OLD.description IS NOT NEW.description OR OLD.metadata <> NEW.metadata OR OLD.tags <> NEW.tags
  OR OLD.locked_by IS NOT NEW.locked_by OR OLD.access_ip_v4 IS NOT NEW.access_ip_v4 OR OLD.access_ip_v6 IS NOT NEW.access_ip_v6
BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    SELECT '', NEW.region, NEW.project_id, happened.type, NEW.id, 0,
      CASE WHEN OLD.updated_at_ms <> NEW.updated_at_ms THEN NEW.updated_at_ms ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END,
      json_object('id', NEW.id, 'name', NEW.name, 'state', NEW.vm_state, 'previous_state', OLD.vm_state,
        'flavor', json_object('id', NEW.flavor ->> '$.id', 'name', NEW.flavor ->> '$.name', 'vcpus', NEW.flavor ->> '$.vcpus',
          'ram_mib', NEW.flavor ->> '$.ramMib', 'disk_gib', NEW.flavor ->> '$.diskGib'),
        'image_id', NEW.image_id, 'availability_zone', NEW.zone, 'user_id', NEW.user_id,
        'fault', CASE WHEN NEW.fault IS NOT NULL THEN json_object('code', NEW.fault ->> '$.code',
          'message', substr(NEW.fault ->> '$.message', 1, 500)) END)
    FROM (
      SELECT 1 AS place, 'server.deleted' AS type WHERE OLD.deleted_at_ms IS NULL AND NEW.deleted_at_ms IS NOT NULL
      UNION ALL SELECT 2, 'server.updated' WHERE NEW.deleted_at_ms IS NULL AND (OLD.name <> NEW.name
        OR OLD.description IS NOT NEW.description OR OLD.metadata <> NEW.metadata OR OLD.tags <> NEW.tags OR OLD.locked_by IS NOT NEW.locked_by
        OR OLD.access_ip_v4 IS NOT NEW.access_ip_v4 OR OLD.access_ip_v6 IS NOT NEW.access_ip_v6)
      UNION ALL SELECT 3, 'server.resized' WHERE NEW.deleted_at_ms IS NULL AND (OLD.flavor ->> '$.id' IS NOT NEW.flavor ->> '$.id'
        OR (OLD.vm_state <> 'resized' AND NEW.vm_state = 'resized'))
      UNION ALL SELECT 4, 'server.' || CASE NEW.vm_state WHEN 'soft-delete' THEN 'soft_deleted' ELSE NEW.vm_state END
        WHERE NEW.deleted_at_ms IS NULL AND OLD.vm_state <> NEW.vm_state AND NEW.vm_state NOT IN ('resized', 'deleted')
    ) AS happened ORDER BY happened.place;
END;
--> statement-breakpoint
CREATE TRIGGER events_of_new_floating_ips AFTER INSERT ON floating_ips BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', NEW.region, NEW.project_id, 'floating_ip.created', NEW.id, 0, NEW.created_at_ms, json_object(
      'id', NEW.id, 'floating_ip_address', NEW.floating_ip_address, 'floating_network_id', NEW.floating_network_id,
      'status', NEW.status, 'port_id', NEW.port_id, 'fixed_ip_address', NEW.fixed_ip_address, 'router_id', NEW.router_id));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_floating_ips AFTER UPDATE ON floating_ips
WHEN OLD.port_id IS NOT NEW.port_id OR OLD.fixed_ip_address IS NOT NEW.fixed_ip_address OR OLD.status <> NEW.status
  OR OLD.description <> NEW.description OR OLD.tags <> NEW.tags OR OLD.qos_policy_id IS NOT NEW.qos_policy_id
  OR OLD.project_id <> NEW.project_id
BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    SELECT '', NEW.region, NEW.project_id, happened.type, NEW.id, 0,
      CASE WHEN OLD.updated_at_ms <> NEW.updated_at_ms THEN NEW.updated_at_ms ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END,
      json_object('id', NEW.id, 'floating_ip_address', NEW.floating_ip_address, 'floating_network_id', NEW.floating_network_id,
        'status', NEW.status, 'port_id', NEW.port_id, 'fixed_ip_address', NEW.fixed_ip_address, 'router_id', NEW.router_id)
    FROM (
      SELECT 1 AS place, 'floating_ip.updated' AS type WHERE OLD.description <> NEW.description OR OLD.tags <> NEW.tags
        OR OLD.qos_policy_id IS NOT NEW.qos_policy_id OR OLD.project_id <> NEW.project_id
      UNION ALL SELECT 2, 'floating_ip.disassociated' WHERE OLD.port_id IS NOT NULL AND NEW.port_id IS NULL
      UNION ALL SELECT 3, 'floating_ip.associated' WHERE NEW.port_id IS NOT NULL
        AND (OLD.port_id IS NOT NEW.port_id OR OLD.fixed_ip_address IS NOT NEW.fixed_ip_address)
      UNION ALL SELECT 4, 'floating_ip.' || lower(NEW.status) WHERE OLD.status <> NEW.status
    ) AS happened ORDER BY happened.place;
END;
--> statement-breakpoint
CREATE TRIGGER events_of_deleted_floating_ips AFTER DELETE ON floating_ips BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', OLD.region, OLD.project_id, 'floating_ip.deleted', OLD.id, 0, CAST(unixepoch('subsec') * 1000 AS INTEGER), json_object(
      'id', OLD.id, 'floating_ip_address', OLD.floating_ip_address, 'floating_network_id', OLD.floating_network_id,
      'status', OLD.status, 'port_id', OLD.port_id, 'fixed_ip_address', OLD.fixed_ip_address, 'router_id', OLD.router_id));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_new_networks AFTER INSERT ON networks BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', NEW.region, NEW.project_id, 'network.created', NEW.id, 0, NEW.created_at_ms, json_object(
      'id', NEW.id, 'name', NEW.name, 'admin_state_up', json(iif(NEW.admin_state_up, 'true', 'false')),
      'shared', json(iif(NEW.shared, 'true', 'false')), 'external', json(iif(NEW.external, 'true', 'false')), 'mtu', NEW.mtu));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_networks AFTER UPDATE ON networks
WHEN OLD.name <> NEW.name OR OLD.description <> NEW.description OR OLD.admin_state_up <> NEW.admin_state_up OR OLD.shared <> NEW.shared
  OR OLD.external <> NEW.external OR OLD.mtu <> NEW.mtu OR OLD.tags <> NEW.tags OR OLD.dns_domain <> NEW.dns_domain
  OR OLD.port_security_enabled <> NEW.port_security_enabled OR OLD.qos_policy_id IS NOT NEW.qos_policy_id
  OR OLD.is_default <> NEW.is_default OR OLD.project_id <> NEW.project_id
BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', NEW.region, NEW.project_id, 'network.updated', NEW.id, 0,
      CASE WHEN OLD.updated_at_ms <> NEW.updated_at_ms THEN NEW.updated_at_ms ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END,
      json_object('id', NEW.id, 'name', NEW.name, 'admin_state_up', json(iif(NEW.admin_state_up, 'true', 'false')),
        'shared', json(iif(NEW.shared, 'true', 'false')), 'external', json(iif(NEW.external, 'true', 'false')), 'mtu', NEW.mtu));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_deleted_networks AFTER DELETE ON networks BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', OLD.region, OLD.project_id, 'network.deleted', OLD.id, 0, CAST(unixepoch('subsec') * 1000 AS INTEGER), json_object(
      'id', OLD.id, 'name', OLD.name, 'admin_state_up', json(iif(OLD.admin_state_up, 'true', 'false')),
      'shared', json(iif(OLD.shared, 'true', 'false')), 'external', json(iif(OLD.external, 'true', 'false')), 'mtu', OLD.mtu));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_new_runners AFTER INSERT ON runners BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    VALUES ('', NEW.region, NULL, 'runner.enrolled', NEW.id, 0, NEW.created_at_ms, json_object(
      'id', NEW.id, 'name', NEW.name, 'availability_zone', NEW.zone, 'state', NEW.state, 'state_reason', NEW.state_reason,
      'connected', json(iif(NEW.connected, 'true', 'false')), 'hypervisor', NEW.hypervisor, 'version', NEW.version));
END;
--> statement-breakpoint
CREATE TRIGGER events_of_runners AFTER UPDATE OF connected, state, state_reason, forced_down, zone ON runners
WHEN OLD.connected <> NEW.connected OR OLD.state <> NEW.state OR OLD.state_reason IS NOT NEW.state_reason
  OR OLD.forced_down <> NEW.forced_down OR OLD.zone <> NEW.zone
BEGIN
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    SELECT '', NEW.region, NULL, happened.type, NEW.id, 0,
      CASE WHEN OLD.updated_at_ms <> NEW.updated_at_ms THEN NEW.updated_at_ms ELSE CAST(unixepoch('subsec') * 1000 AS INTEGER) END,
      json_object('id', NEW.id, 'name', NEW.name, 'availability_zone', NEW.zone, 'state', NEW.state, 'state_reason', NEW.state_reason,
        'connected', json(iif(NEW.connected, 'true', 'false')), 'hypervisor', NEW.hypervisor, 'version', NEW.version)
    FROM (
      SELECT 1 AS place, 'runner.up' AS type WHERE OLD.connected = 0 AND NEW.connected = 1
      UNION ALL SELECT 2, 'runner.down' WHERE OLD.connected = 1 AND NEW.connected = 0
      UNION ALL SELECT 3, 'runner.updated' WHERE NEW.state <> 'removed' AND (OLD.state <> NEW.state
        OR OLD.state_reason IS NOT NEW.state_reason OR OLD.forced_down <> NEW.forced_down OR OLD.zone <> NEW.zone)
      UNION ALL SELECT 4, 'runner.removed' WHERE OLD.state <> 'removed' AND NEW.state = 'removed'
    ) AS happened ORDER BY happened.place;
END;
--> statement-breakpoint
-- The number of a resource that is gone goes with its last event.
CREATE TRIGGER events_cleared AFTER DELETE ON events BEGIN
  DELETE FROM event_versions WHERE resource_id = OLD.resource_id AND ended = 1
    AND NOT EXISTS (SELECT 1 FROM events WHERE resource_id = OLD.resource_id);
END;
