-- UP
CREATE TABLE "quote-book_quotes" (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    said TEXT NOT NULL,
    kept_by TEXT NOT NULL
);
CREATE INDEX "quote-book_by_channel" ON "quote-book_quotes" (channel, id);
-- DOWN
DROP TABLE "quote-book_quotes";
