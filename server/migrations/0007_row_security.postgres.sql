-- Row-level security: a transaction of `Db::of(organiser)` runs as the role liventix_tenant and sees the scans
-- and devices of that organiser only, whatever its SQL says. The owner of the tables (sign-in, enrolment by
-- code, maintenance) is not confined.

DO $$
BEGIN
    -- A role belongs to the whole server: another database may have made it, or its administrator.
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'liventix_tenant') THEN
        CREATE ROLE liventix_tenant NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'liventix_tenant', 'MEMBER') THEN
        EXECUTE format('GRANT liventix_tenant TO %I', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role liventix_tenant is missing and this user may not make it: as an administrator, run CREATE ROLE liventix_tenant NOLOGIN; GRANT liventix_tenant TO "%";', current_user;
END
$$;

DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO liventix_tenant', current_schema());
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO liventix_tenant', current_schema());
    -- Tables of later migrations.
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO liventix_tenant', current_schema());
END
$$;
-- Scans are appended, never changed.
REVOKE UPDATE, DELETE ON scans FROM liventix_tenant;

-- None is set: no organiser, no rows.
CREATE FUNCTION liventix_organiser() RETURNS BYTEA LANGUAGE SQL STABLE PARALLEL SAFE
    RETURN decode(replace(coalesce(current_setting('liventix.organiser_id', TRUE), ''), '-', ''), 'hex');

ALTER TABLE scans ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON scans TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE quarantine ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON quarantine TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE devices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON devices TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
ALTER TABLE enrolments ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON enrolments TO liventix_tenant USING (organiser_id = (SELECT liventix_organiser()));
-- What hangs on a device is seen by whoever sees the device.
ALTER TABLE device_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON device_events TO liventix_tenant
    USING (EXISTS (SELECT 1 FROM devices d WHERE d.device_id = device_events.device_id));
ALTER TABLE ledgers ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ledgers TO liventix_tenant
    USING (EXISTS (SELECT 1 FROM devices d WHERE d.device_id = ledgers.device_id));
