-- Without nulls, the newest first is the order of the indexes, read backward.
-- UP
UPDATE playlist_history SET played_at = CURRENT_TIMESTAMP WHERE played_at IS NULL;
ALTER TABLE playlist_history ALTER COLUMN played_at SET NOT NULL;

-- DOWN
ALTER TABLE playlist_history ALTER COLUMN played_at DROP NOT NULL;
