-- One row: what sessions of the web pages are signed with, the same for every server on this
-- database. It is drawn by whoever opens the database first.
CREATE TABLE session_key (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    secret   BLOB NOT NULL CHECK (length(secret) = 32)
) STRICT;
