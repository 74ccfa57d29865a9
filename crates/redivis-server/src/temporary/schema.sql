-- Bytes on their way in (redivis-api §6.2, §6.3). Times are milliseconds since 1970.

CREATE TABLE IF NOT EXISTS temporary_upload (
    -- Unguessable: the URL that takes the bytes is made of it.
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    -- Bytes that were announced.
    size INTEGER NOT NULL,
    is_resumable INTEGER NOT NULL,
    -- Whether an upload or a raw file has the bytes now.
    is_taken INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL,
    -- The latest resumable session, as unguessable, and the file that it grows. The file's length is how far it came.
    session TEXT UNIQUE,
    session_file TEXT,
    -- The file of all bytes, once they are there.
    file TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS temporary_upload_expires ON temporary_upload (expires_at) WHERE NOT is_taken;
