-- UP
CREATE TABLE playlist_queue (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    position INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    media_id TEXT NOT NULL,
    title TEXT NOT NULL,
    duration INTEGER DEFAULT 0,
    added_by TEXT NOT NULL,
    added_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    
    UNIQUE(channel, position)
);

CREATE INDEX idx_playlist_queue_channel ON playlist_queue(channel, position);

-- DOWN
DROP INDEX IF EXISTS idx_playlist_queue_channel;
DROP TABLE IF EXISTS playlist_queue;
