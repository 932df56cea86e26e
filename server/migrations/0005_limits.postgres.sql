-- Answers are an organiser's own: a transaction in its name (see 0007_row_security) sees no others. The owner of
-- the table is not confined.
ALTER TABLE idempotent_operations ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotent_operations USING (organiser_id = (SELECT
    decode(replace(coalesce(current_setting('liventix.organiser_id', TRUE), ''), '-', ''), 'hex')));
