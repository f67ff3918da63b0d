-- UP
-- Ids that a queued item keeps for its life.
ALTER TABLE playlist_queue ADD COLUMN item_id TEXT NOT NULL DEFAULT '';
UPDATE playlist_queue SET item_id = 'q' || id;
CREATE UNIQUE INDEX idx_playlist_queue_item ON playlist_queue(channel, item_id);

-- What a channel is doing. Every change to a channel raises its version; now_* and started_at
-- (milliseconds since 1970) are null when nothing plays.
CREATE TABLE playlist_channel (
    channel TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL DEFAULT 0,
    next_item BIGINT NOT NULL DEFAULT 1,
    now_item_id TEXT,
    now_media_type TEXT,
    now_media_id TEXT,
    now_title TEXT,
    now_duration INTEGER,
    now_added_by TEXT,
    now_added_at TIMESTAMP,
    started_at BIGINT
);

-- Numbers of new items continue behind those that were given above.
INSERT INTO playlist_channel (channel, version, next_item)
SELECT channel, 1, MAX(id) + 1 FROM playlist_queue GROUP BY channel;

CREATE TABLE playlist_vote (
    channel TEXT NOT NULL,
    item_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    voted_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,

    PRIMARY KEY (channel, item_id, user_id)
);

-- Newest first (played_at DESC, id DESC) is a backward scan of these, however long history grows.
CREATE INDEX idx_playlist_history_channel_played ON playlist_history(channel, played_at, id);
CREATE INDEX idx_playlist_history_user_played ON playlist_history(added_by, played_at, id);

-- DOWN
DROP INDEX IF EXISTS idx_playlist_history_user_played;
DROP INDEX IF EXISTS idx_playlist_history_channel_played;
DROP TABLE IF EXISTS playlist_vote;
DROP TABLE IF EXISTS playlist_channel;
DROP INDEX IF EXISTS idx_playlist_queue_item;
ALTER TABLE playlist_queue DROP COLUMN item_id;
