-- No AUTOINCREMENT: nobody deletes a user or a message, and of the commit records only the oldest
-- go, so the next id is the largest so far plus one anyway, at one page written less per commit.

-- TEXT affinity keeps "007" as it was sent; STRICT refuses anything that would be converted.
CREATE TABLE users (
    user_id  INTEGER PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    email    TEXT NOT NULL,
    pw_hash  TEXT NOT NULL
) STRICT;

-- The order of message_id is the order of the commits: newest first is message_id descending.
CREATE TABLE messages (
    message_id INTEGER PRIMARY KEY,
    author_id  INTEGER NOT NULL REFERENCES users (user_id),
    text       TEXT NOT NULL,
    pub_date   INTEGER NOT NULL,
    flagged    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX messages_by_author ON messages (author_id, message_id);

CREATE TABLE follows (
    who_id  INTEGER NOT NULL REFERENCES users (user_id),
    whom_id INTEGER NOT NULL REFERENCES users (user_id),
    PRIMARY KEY (who_id, whom_id)
) STRICT, WITHOUT ROWID;

-- One row: the id of the last command that was processed.
CREATE TABLE latest (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    command_id INTEGER NOT NULL
) STRICT;

INSERT INTO latest (only_row, command_id) VALUES (1, -1);

-- One row per committed batch, so that a COMMIT whose answer was lost can be looked up.
CREATE TABLE commits (
    commit_id INTEGER PRIMARY KEY,
    batch_id  BLOB NOT NULL
) STRICT;
