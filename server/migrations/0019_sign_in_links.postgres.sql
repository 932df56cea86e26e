-- See 0007_row_security. They are people's, whom no organiser signs in.
REVOKE ALL ON sign_in_links FROM liventix_tenant;
