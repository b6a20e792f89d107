DROP TRIGGER events_told;
--> statement-breakpoint
DROP TRIGGER webhook_deliveries_made;
--> statement-breakpoint
DROP TRIGGER webhook_deliveries_moved;
--> statement-breakpoint
DROP TRIGGER webhook_endpoints_paused;
--> statement-breakpoint
DROP TRIGGER webhook_endpoints_disabled;
--> statement-breakpoint
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
  INSERT INTO webhook_deliveries (id, endpoint_id, event_id, event_sequence, type, status, life, next_attempt_ms, created_at_ms)
    SELECT lower(hex(randomblob(16))), endpoint.id, event.id, event.sequence, event.type, 'pending', endpoint.life, event.at_ms, event.at_ms
    FROM events AS event JOIN webhook_endpoints AS endpoint ON endpoint.id IN (
      SELECT own.id FROM webhook_endpoints AS own WHERE own.region = NEW.region AND own.project_id = NEW.project_id
        AND own.deleted_at_ms IS NULL
      UNION ALL SELECT regional.id FROM webhook_endpoints AS regional WHERE regional.region = NEW.region AND regional.project_id IS NULL
        AND regional.deleted_at_ms IS NULL)
    WHERE event.sequence = NEW.sequence AND endpoint.enabled = 1
      AND CASE WHEN event.type = 'webhook.test' THEN endpoint.id = event.resource_id
        ELSE EXISTS (SELECT 1 FROM json_each(endpoint.events) AS wanted WHERE event.type GLOB wanted.value) END;
END;
--> statement-breakpoint
-- An endpoint knows when it is due: the first of what waits for it in this life, and not while it rests, nor while it is disabled.
CREATE TRIGGER webhook_deliveries_made AFTER INSERT ON webhook_deliveries BEGIN
  UPDATE webhook_endpoints SET due_at_ms = CASE WHEN enabled = 1 THEN (SELECT max(waiting.next_attempt_ms, coalesce(webhook_endpoints.paused_until_ms, 0))
      FROM webhook_deliveries AS waiting WHERE waiting.endpoint_id = NEW.endpoint_id AND waiting.status = 'pending' AND waiting.life = webhook_endpoints.life
      ORDER BY waiting.next_attempt_ms LIMIT 1) END
    WHERE id = NEW.endpoint_id;
END;
--> statement-breakpoint
CREATE TRIGGER webhook_deliveries_moved AFTER UPDATE OF status, next_attempt_ms ON webhook_deliveries BEGIN
  UPDATE webhook_endpoints SET due_at_ms = CASE WHEN enabled = 1 THEN (SELECT max(waiting.next_attempt_ms, coalesce(webhook_endpoints.paused_until_ms, 0))
      FROM webhook_deliveries AS waiting WHERE waiting.endpoint_id = NEW.endpoint_id AND waiting.status = 'pending' AND waiting.life = webhook_endpoints.life
      ORDER BY waiting.next_attempt_ms LIMIT 1) END
    WHERE id = NEW.endpoint_id;
END;
--> statement-breakpoint
CREATE TRIGGER webhook_endpoints_paused AFTER UPDATE OF paused_until_ms ON webhook_endpoints BEGIN
  UPDATE webhook_endpoints SET due_at_ms = CASE WHEN enabled = 1 THEN (SELECT max(waiting.next_attempt_ms, coalesce(NEW.paused_until_ms, 0))
      FROM webhook_deliveries AS waiting WHERE waiting.endpoint_id = NEW.id AND waiting.status = 'pending' AND waiting.life = webhook_endpoints.life
      ORDER BY waiting.next_attempt_ms LIMIT 1) END
    WHERE id = NEW.id;
END;
--> statement-breakpoint
-- One that is disabled ends its life: what waits for it is given up by rounds. The others of its project are told, unless it was deleted.
CREATE TRIGGER webhook_endpoints_disabled AFTER UPDATE OF enabled ON webhook_endpoints
WHEN OLD.enabled = 1 AND NEW.enabled = 0 BEGIN
  UPDATE webhook_endpoints SET life = life + 1, due_at_ms = NULL, clearing_since_ms = coalesce(clearing_since_ms, NEW.updated_at_ms)
    WHERE id = NEW.id;
  INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    SELECT '', NEW.region, NEW.project_id, 'webhook.endpoint.disabled', NEW.id, 0, NEW.updated_at_ms,
      json_object('id', NEW.id, 'description', NEW.description, 'reason', NEW.disabled_reason,
        'failing_since', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.failing_since_ms / 1000.0, 'unixepoch'))
    WHERE NEW.deleted_at_ms IS NULL;
END;
