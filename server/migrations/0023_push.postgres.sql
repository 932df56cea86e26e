-- See 0007_row_security. Organisers see what was told the attendees of their events, and never where to.
ALTER TABLE push_campaigns ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON push_campaigns TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE push_messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON push_messages TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
REVOKE ALL ON push_devices, push_preferences, push_attempts, push_credentials FROM liventix_tenant;
