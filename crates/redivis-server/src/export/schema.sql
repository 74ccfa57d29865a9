-- Exports, and what is known of their files. Times are milliseconds since 1970.

CREATE TABLE IF NOT EXISTS export (
    -- In the order in which they were asked for.
    key INTEGER PRIMARY KEY,
    -- Also the name of its folder below exports/.
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    -- Where the table, upload or query is found.
    parent TEXT NOT NULL,
    name TEXT NOT NULL,
    -- parquet, csv or ndjson.
    format TEXT NOT NULL,
    -- Whether every row of it is public.
    is_public INTEGER NOT NULL,
    -- queued, running, completed or failed.
    status TEXT NOT NULL,
    error_message TEXT,
    file_count INTEGER,
    size INTEGER,
    created_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
