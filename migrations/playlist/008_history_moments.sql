-- UP
-- Every play has ended at some moment. (SQLite cannot add the rule to a table that is there.)
UPDATE playlist_history SET played_at = CURRENT_TIMESTAMP WHERE played_at IS NULL;

-- DOWN
UPDATE playlist_history SET played_at = CURRENT_TIMESTAMP WHERE played_at IS NULL;
