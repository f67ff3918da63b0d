-- UP
-- Who has had a turn in this round, as a JSON list of names.
ALTER TABLE playlist_channel ADD COLUMN had_turn TEXT;

-- DOWN
ALTER TABLE playlist_channel DROP COLUMN had_turn;
