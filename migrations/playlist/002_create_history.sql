-- UP
CREATE TABLE playlist_history (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    media_type TEXT NOT NULL,
    media_id TEXT NOT NULL,
    title TEXT NOT NULL,
    duration INTEGER DEFAULT 0,
    added_by TEXT NOT NULL,
    played_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    play_duration INTEGER DEFAULT 0,
    skipped BOOLEAN DEFAULT FALSE
);

CREATE INDEX idx_playlist_history_channel ON playlist_history(channel);
CREATE INDEX idx_playlist_history_user ON playlist_history(added_by);

-- DOWN
DROP INDEX IF EXISTS idx_playlist_history_user;
DROP INDEX IF EXISTS idx_playlist_history_channel;
DROP TABLE IF EXISTS playlist_history;
