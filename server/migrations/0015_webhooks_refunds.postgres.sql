-- See 0007_row_security.
ALTER TABLE refunds ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON refunds TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE disputes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON disputes TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE provider_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON provider_events TO liventix_tenant
    USING (EXISTS (SELECT 1 FROM orders o WHERE o.order_id = provider_events.order_id));
