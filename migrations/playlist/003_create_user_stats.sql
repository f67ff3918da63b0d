-- UP
CREATE TABLE playlist_user_stats (
    id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL UNIQUE,
    items_added INTEGER DEFAULT 0,
    items_played INTEGER DEFAULT 0,
    items_skipped INTEGER DEFAULT 0,
    total_duration_added INTEGER DEFAULT 0,
    total_duration_played INTEGER DEFAULT 0,
    last_add TIMESTAMP NULL
);

CREATE INDEX idx_playlist_user_stats_user ON playlist_user_stats(user_id);

-- DOWN
DROP INDEX IF EXISTS idx_playlist_user_stats_user;
DROP TABLE IF EXISTS playlist_user_stats;
