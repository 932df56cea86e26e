-- See 0007_row_security.
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON payments TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE provider_calls ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON provider_calls TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE money_entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON money_entries TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE money_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON money_lines TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
-- What was booked stays booked.
REVOKE UPDATE, DELETE ON money_entries, money_lines FROM liventix_tenant;
