-- See 0007_row_security. What a provider tells, and what is done about addresses, is not done in an organiser's name.
REVOKE ALL ON email_events, email_suppressions FROM liventix_tenant;
ALTER TABLE email_unsubscribes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON email_unsubscribes TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
