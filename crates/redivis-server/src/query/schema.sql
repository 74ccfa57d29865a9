-- Queries, and what is known of their results. Times are milliseconds since 1970.

CREATE TABLE IF NOT EXISTS query (
    -- In the order in which they were asked.
    key INTEGER PRIMARY KEY,
    -- Also the name of the result's file below results/.
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    text TEXT NOT NULL,
    default_dataset TEXT,
    -- What the token that asked may do, so that a query which is run again reads no more than it did before.
    access TEXT NOT NULL,
    -- queued, running, completed or failed.
    status TEXT NOT NULL,
    error_message TEXT,
    -- Whether every row it read is public.
    is_public INTEGER NOT NULL DEFAULT 0,
    -- A JSON array of {name, type}, once completed.
    output_schema TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS query_by_status ON query (status);
