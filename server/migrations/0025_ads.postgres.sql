-- See 0007_row_security.
ALTER TABLE ad_campaigns ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ad_campaigns TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE creatives ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON creatives TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE ad_spend ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ad_spend TO liventix_tenant
    USING (EXISTS (SELECT 1 FROM creatives c WHERE c.creative_id = ad_spend.creative_id));
ALTER TABLE ad_events_seen ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ad_events_seen TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
