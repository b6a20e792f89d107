-- What comes back within a month goes on as it was: a resize there and back has one allowance, one minimum, one flat fee.
DROP TRIGGER billing_span_added;
--> statement-breakpoint
CREATE TRIGGER billing_span_added AFTER INSERT ON usage_spans BEGIN
  UPDATE billing_subscriptions SET end_ms = NEW.end_ms
  WHERE resource_id = NEW.resource_id AND resource_type = NEW.resource_type AND item_type = NEW.item_type
    AND project_id = NEW.project_id AND kind = 'time' AND opened_by = 'span'
    AND end_ms <= NEW.start_ms AND end_ms >= unixepoch(NEW.start_ms / 1000, 'unixepoch', 'start of month') * 1000
    AND product_id IN (SELECT id FROM billing_products WHERE retired_at_ms IS NULL)
    AND NOT EXISTS (SELECT 1 FROM billing_subscriptions later WHERE later.resource_id = NEW.resource_id
      AND later.product_id = billing_subscriptions.product_id AND later.project_id = NEW.project_id
      AND later.start_ms > billing_subscriptions.start_ms);
  INSERT INTO billing_subscriptions (id, region, project_id, product_id, kind, resource_type, resource_id, resource_name,
    item_type, opened_by, start_ms, end_ms, visited_ms, charged_through_ms, due_ms)
  SELECT lower(hex(randomblob(16))), NEW.region, NEW.project_id, product.id, 'time', NEW.resource_type, NEW.resource_id,
    NEW.resource_name, NEW.item_type, 'span', NEW.start_ms, NEW.end_ms, NEW.start_ms - 1, NEW.start_ms, NEW.start_ms
  FROM billing_products product
  WHERE product.region = NEW.region AND product.item = NEW.resource_type AND product.item_type = NEW.item_type
    AND product.automatic = 1 AND product.retired_at_ms IS NULL AND product.kind = 'time'
    AND EXISTS (SELECT 1 FROM billing_prices price
      WHERE price.product_id = product.id AND price.effective_from_ms <= NEW.start_ms)
    AND NOT EXISTS (SELECT 1 FROM billing_subscriptions other
      WHERE other.resource_id = NEW.resource_id AND other.product_id = product.id
        AND (other.end_ms IS NULL OR (other.end_ms >= NEW.start_ms AND other.project_id = NEW.project_id)));
  UPDATE billing_subscriptions SET
    resource_name = NEW.resource_name,
    revision = revision + 1,
    due_ms = min(coalesce(due_ms, NEW.start_ms), NEW.start_ms),
    dirty_from_ms = CASE WHEN NEW.start_ms <= visited_ms
      THEN min(coalesce(dirty_from_ms, NEW.start_ms), NEW.start_ms) ELSE dirty_from_ms END
  WHERE resource_id = NEW.resource_id AND resource_type = NEW.resource_type AND item_type = NEW.item_type AND kind = 'time';
END;
