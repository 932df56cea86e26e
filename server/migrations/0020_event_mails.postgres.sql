-- See 0007_row_security.
ALTER TABLE announcements ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON announcements TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
