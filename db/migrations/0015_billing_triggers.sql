-- A span opens, opens again or changes what is subscribed of its resource, in the transaction of the resource.
CREATE TRIGGER billing_span_added AFTER INSERT ON usage_spans BEGIN
  UPDATE billing_subscriptions SET end_ms = NEW.end_ms
  WHERE resource_id = NEW.resource_id AND resource_type = NEW.resource_type AND item_type = NEW.item_type
    AND project_id = NEW.project_id AND kind = 'time' AND opened_by = 'span' AND end_ms = NEW.start_ms
    AND product_id IN (SELECT id FROM billing_products WHERE retired_at_ms IS NULL);
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
--> statement-breakpoint
-- The end of the last open span is the end of what was opened by spans; any other change is rated again from where it is.
CREATE TRIGGER billing_span_changed AFTER UPDATE ON usage_spans BEGIN
  UPDATE billing_subscriptions SET end_ms = NEW.end_ms
  WHERE resource_id = NEW.resource_id AND resource_type = NEW.resource_type AND item_type = NEW.item_type
    AND project_id = NEW.project_id AND kind = 'time' AND opened_by = 'span' AND end_ms IS NULL AND NEW.end_ms IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM usage_spans lasting
      WHERE lasting.resource_type = NEW.resource_type AND lasting.resource_id = NEW.resource_id
        AND lasting.item_type = NEW.item_type AND lasting.project_id = NEW.project_id AND lasting.end_ms IS NULL);
  UPDATE billing_subscriptions SET
    resource_name = NEW.resource_name,
    revision = revision + 1,
    due_ms = min(coalesce(due_ms, changed.from_ms), changed.from_ms),
    dirty_from_ms = CASE WHEN changed.from_ms <= visited_ms
      THEN min(coalesce(dirty_from_ms, changed.from_ms), changed.from_ms) ELSE dirty_from_ms END
  FROM (SELECT CASE
      WHEN OLD.start_ms = NEW.start_ms AND OLD.state = NEW.state AND OLD.quantity = NEW.quantity
        AND OLD.item_type = NEW.item_type
      THEN coalesce(min(OLD.end_ms, NEW.end_ms), NEW.end_ms, OLD.end_ms, OLD.start_ms)
      ELSE min(OLD.start_ms, NEW.start_ms) END AS from_ms) changed
  WHERE resource_id = NEW.resource_id AND resource_type = NEW.resource_type AND kind = 'time'
    AND item_type IN (OLD.item_type, NEW.item_type)
    AND (OLD.start_ms <> NEW.start_ms OR OLD.end_ms IS NOT NEW.end_ms OR OLD.state <> NEW.state
      OR OLD.quantity <> NEW.quantity OR OLD.item_type <> NEW.item_type);
END;
--> statement-breakpoint
-- A sealed window opens what is subscribed of its meter, and has it looked at; one that comes late is rated again.
CREATE TRIGGER billing_window_added AFTER INSERT ON meter_windows BEGIN
  INSERT INTO billing_subscriptions (id, region, project_id, product_id, kind, resource_type, resource_id, resource_name,
    item_type, opened_by, start_ms, visited_ms, charged_through_ms, due_ms)
  SELECT lower(hex(randomblob(16))), NEW.region, NEW.project_id, product.id, 'volume', NEW.resource_type, NEW.resource_id,
    coalesce((SELECT span.resource_name FROM usage_spans span
      WHERE span.resource_type = NEW.resource_type AND span.resource_id = NEW.resource_id
      ORDER BY span.start_ms DESC LIMIT 1), ''),
    'default', 'window', NEW.start_ms, NEW.start_ms - 1, NEW.start_ms, NEW.start_ms + 3600000
  FROM billing_products product
  WHERE product.region = NEW.region AND product.item = NEW.meter AND product.item_type = 'default'
    AND product.automatic = 1 AND product.retired_at_ms IS NULL AND product.kind = 'volume'
    AND EXISTS (SELECT 1 FROM billing_prices price
      WHERE price.product_id = product.id AND price.effective_from_ms <= NEW.start_ms)
    AND NOT EXISTS (SELECT 1 FROM billing_subscriptions other
      WHERE other.resource_id = NEW.resource_id AND other.product_id = product.id
        AND (other.end_ms IS NULL OR other.end_ms > NEW.start_ms));
  UPDATE billing_subscriptions SET
    start_ms = CASE WHEN opened_by = 'window' AND NEW.start_ms < start_ms AND EXISTS (SELECT 1 FROM billing_prices price
      WHERE price.product_id = billing_subscriptions.product_id AND price.effective_from_ms <= NEW.start_ms)
      THEN NEW.start_ms ELSE start_ms END,
    revision = revision + 1,
    due_ms = min(coalesce(due_ms, NEW.start_ms + 3600000), NEW.start_ms + 3600000),
    dirty_from_ms = CASE WHEN NEW.start_ms < visited_ms
      THEN min(coalesce(dirty_from_ms, NEW.start_ms), NEW.start_ms) ELSE dirty_from_ms END
  WHERE resource_id = NEW.resource_id AND kind = 'volume'
    AND product_id IN (SELECT id FROM billing_products WHERE region = NEW.region AND item = NEW.meter);
END;
--> statement-breakpoint
CREATE TRIGGER billing_window_changed AFTER UPDATE OF value ON meter_windows WHEN OLD.value <> NEW.value BEGIN
  UPDATE billing_subscriptions SET
    revision = revision + 1,
    due_ms = min(coalesce(due_ms, NEW.start_ms + 3600000), NEW.start_ms + 3600000),
    dirty_from_ms = CASE WHEN NEW.start_ms < visited_ms
      THEN min(coalesce(dirty_from_ms, NEW.start_ms), NEW.start_ms) ELSE dirty_from_ms END
  WHERE resource_id = NEW.resource_id AND kind = 'volume'
    AND product_id IN (SELECT id FROM billing_products WHERE region = NEW.region AND item = NEW.meter);
END;
--> statement-breakpoint
-- Money moves: both balances with it.
CREATE TRIGGER billing_transfer_added AFTER INSERT ON billing_transfers BEGIN
  INSERT INTO billing_balances (ledger_account, currency, balance_minor)
    VALUES (NEW.from_account, NEW.currency, -NEW.amount_minor)
    ON CONFLICT (ledger_account, currency) DO UPDATE SET balance_minor = balance_minor - NEW.amount_minor;
  INSERT INTO billing_balances (ledger_account, currency, balance_minor)
    VALUES (NEW.to_account, NEW.currency, NEW.amount_minor)
    ON CONFLICT (ledger_account, currency) DO UPDATE SET balance_minor = balance_minor + NEW.amount_minor;
END;
--> statement-breakpoint
-- What was written stays as it was written.
CREATE TRIGGER billing_transfers_fixed BEFORE UPDATE ON billing_transfers BEGIN SELECT RAISE(ABORT, 'transfers are never changed'); END;
--> statement-breakpoint
CREATE TRIGGER billing_transfers_kept BEFORE DELETE ON billing_transfers BEGIN SELECT RAISE(ABORT, 'transfers are never deleted'); END;
--> statement-breakpoint
CREATE TRIGGER billing_prices_fixed BEFORE UPDATE ON billing_prices BEGIN SELECT RAISE(ABORT, 'prices are never changed'); END;
--> statement-breakpoint
CREATE TRIGGER billing_prices_kept BEFORE DELETE ON billing_prices BEGIN SELECT RAISE(ABORT, 'prices are never deleted'); END;
--> statement-breakpoint
CREATE TRIGGER billing_purchases_fixed BEFORE UPDATE ON billing_purchases BEGIN SELECT RAISE(ABORT, 'purchases are never changed'); END;
--> statement-breakpoint
CREATE TRIGGER billing_purchases_kept BEFORE DELETE ON billing_purchases BEGIN SELECT RAISE(ABORT, 'purchases are never deleted'); END;
--> statement-breakpoint
CREATE TRIGGER billing_purchases_open BEFORE INSERT ON billing_purchases
WHEN EXISTS (SELECT 1 FROM billing_invoices WHERE account_id = NEW.account_id AND month_ms = NEW.invoice_month_ms
  AND currency = NEW.currency AND status = 'final')
BEGIN SELECT RAISE(ABORT, 'the invoice is final'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoices_fixed BEFORE UPDATE ON billing_invoices WHEN OLD.status = 'final' BEGIN SELECT RAISE(ABORT, 'the invoice is final'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoices_kept BEFORE DELETE ON billing_invoices BEGIN SELECT RAISE(ABORT, 'invoices are never deleted'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoice_lines_open BEFORE INSERT ON billing_invoice_lines
WHEN EXISTS (SELECT 1 FROM billing_invoices WHERE id = NEW.invoice_id AND status = 'final')
BEGIN SELECT RAISE(ABORT, 'the invoice is final'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoice_lines_fixed BEFORE UPDATE ON billing_invoice_lines BEGIN SELECT RAISE(ABORT, 'invoice lines are never changed'); END;
--> statement-breakpoint
CREATE TRIGGER billing_invoice_lines_kept BEFORE DELETE ON billing_invoice_lines BEGIN SELECT RAISE(ABORT, 'invoice lines are never deleted'); END;
