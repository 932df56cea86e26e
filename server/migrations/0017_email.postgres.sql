-- See 0007_row_security. What causes a mail may run in an organiser's name; whoever sends it does not.
ALTER TABLE emails ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON emails TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
REVOKE ALL ON email_attempts, email_pace FROM liventix_tenant;
