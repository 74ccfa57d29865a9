-- Logins over OAuth (redivis-api §1.3). Secrets are SHA-256 digests; times are milliseconds since 1970.

-- What may get new access tokens.
CREATE TABLE IF NOT EXISTS refresh_token (
    digest BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    -- Separated by spaces.
    scope TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS access_token (
    digest BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    scope TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
