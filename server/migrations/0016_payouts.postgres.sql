-- See 0007_row_security.
ALTER TABLE payout_terms ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON payout_terms TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
-- Where the money goes, whoever runs the installation says.
REVOKE INSERT, UPDATE, DELETE ON payout_terms FROM liventix_tenant;
ALTER TABLE payouts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON payouts TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE money_balances ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON money_balances TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
REVOKE ALL ON books_proofs FROM liventix_tenant;
