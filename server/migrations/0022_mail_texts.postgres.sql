-- See 0007_row_security.
ALTER TABLE mail_texts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON mail_texts TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
