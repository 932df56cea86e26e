-- Row-level security, as in 0007_row_security.postgres.sql.
ALTER TABLE anomalies ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON anomalies TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE conflict_resolutions ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON conflict_resolutions TO liventix_tenant
    USING (organiser_id = (SELECT liventix_organiser()));
-- Evidence is seen by whoever sees the anomaly.
ALTER TABLE anomaly_evidence ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON anomaly_evidence TO liventix_tenant
    USING (EXISTS (SELECT 1 FROM anomalies a WHERE a.anomaly_id = anomaly_evidence.anomaly_id));
