-- UP
-- Whether the limits on users and on the length of an item do not concern this one.
ALTER TABLE playlist_queue ADD COLUMN exempt BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE playlist_channel ADD COLUMN now_exempt BOOLEAN;

-- DOWN
ALTER TABLE playlist_channel DROP COLUMN now_exempt;
ALTER TABLE playlist_queue DROP COLUMN exempt;
