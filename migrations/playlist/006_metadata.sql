-- UP
-- What sites tell about their media, beside title and duration.
ALTER TABLE playlist_queue ADD COLUMN thumbnail_url TEXT;
ALTER TABLE playlist_queue ADD COLUMN channel_name TEXT;
ALTER TABLE playlist_channel ADD COLUMN now_thumbnail_url TEXT;
ALTER TABLE playlist_channel ADD COLUMN now_channel_name TEXT;

-- DOWN
ALTER TABLE playlist_channel DROP COLUMN now_channel_name;
ALTER TABLE playlist_channel DROP COLUMN now_thumbnail_url;
ALTER TABLE playlist_queue DROP COLUMN channel_name;
ALTER TABLE playlist_queue DROP COLUMN thumbnail_url;
