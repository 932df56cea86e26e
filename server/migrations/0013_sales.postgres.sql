-- An organiser's transactions see the orders of that organiser only; see 0007_row_security.
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON orders TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE order_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON order_items TO liventix_tenant
    USING (EXISTS (SELECT 1 FROM orders o WHERE o.order_id = order_items.order_id));
ALTER TABLE order_steps ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON order_steps TO liventix_tenant
    USING (EXISTS (SELECT 1 FROM orders o WHERE o.order_id = order_steps.order_id));
