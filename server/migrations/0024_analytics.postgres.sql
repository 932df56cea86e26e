-- See 0007_row_security. Organisers' transactions write facts down, and see the sums of their own.
REVOKE ALL ON fact_inbox, facts, rollups, rollup_state, rollup_rounds, question_failures FROM liventix_tenant;
GRANT INSERT ON fact_inbox TO liventix_tenant;
GRANT SELECT ON rollups, rollup_state TO liventix_tenant;
ALTER TABLE rollups ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON rollups TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
