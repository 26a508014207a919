-- "C" compares names byte by byte and does not change with the operating system's locale.
CREATE TABLE users (
    user_id  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username TEXT COLLATE "C" NOT NULL UNIQUE,
    email    TEXT NOT NULL,
    pw_hash  TEXT NOT NULL
);

-- The order of message_id is the order of the commits: newest first is message_id descending.
CREATE TABLE messages (
    message_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author_id  BIGINT NOT NULL REFERENCES users (user_id),
    text       TEXT NOT NULL,
    pub_date   BIGINT NOT NULL,
    flagged    BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE INDEX messages_by_author ON messages (author_id, message_id);

CREATE TABLE follows (
    who_id  BIGINT NOT NULL REFERENCES users (user_id),
    whom_id BIGINT NOT NULL REFERENCES users (user_id),
    PRIMARY KEY (who_id, whom_id)
);

-- One row: the id of the last command that was processed. Every batch updates it, and updates it
-- first, so that whoever holds this row is the only one who writes. The page is left empty for the
-- row's next versions.
CREATE TABLE latest (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    command_id BIGINT NOT NULL
) WITH (fillfactor = 10);

INSERT INTO latest (only_row, command_id) VALUES (1, -1);

-- The commit records. One row for each server that writes: its current session, and the last batch
-- that it committed with what came of its entries, so that a commit whose answer was lost can be
-- looked up. A batch of any other session is refused: who begins a session and finds a batch
-- missing knows that it will never come.
CREATE TABLE writers (
    writer_id  BYTEA PRIMARY KEY,
    session_id BYTEA NOT NULL,
    batch_id   BYTEA,
    outcomes   SMALLINT[],
    seen_at    TIMESTAMPTZ NOT NULL DEFAULT now()
) WITH (fillfactor = 10);

-- Executes the writes of a batch one after the other, and records it: a transaction in one
-- statement, so that no client holds the lock of `latest` across a round trip.
--
-- kinds: 1 register (name, email, hash), 2 tweet (author, text, date), 3 follow and 4 unfollow
-- (who, whom). Outcomes: 0 done, 1 the name is taken, 2 a user is unknown.
CREATE FUNCTION commit_batch(
    writer BYTEA, session BYTEA, batch BYTEA, command BIGINT,
    kinds SMALLINT[], names TEXT[], others TEXT[], hashes TEXT[], dates BIGINT[]
) RETURNS SMALLINT[] LANGUAGE plpgsql AS $$
DECLARE
    entry   RECORD;
    results SMALLINT[] := '{}';
BEGIN
    UPDATE latest SET command_id = coalesce(command, command_id);
    FOR entry IN
        SELECT * FROM unnest(kinds, names, others, hashes, dates)
            AS given (kind, name, other, hash, pub_date)
    LOOP
        CASE entry.kind
            WHEN 1 THEN
                INSERT INTO users (username, email, pw_hash)
                VALUES (entry.name, entry.other, entry.hash)
                ON CONFLICT (username) DO NOTHING;
            WHEN 2 THEN
                INSERT INTO messages (author_id, text, pub_date)
                SELECT user_id, entry.other, entry.pub_date FROM users WHERE username = entry.name;
            WHEN 3 THEN
                INSERT INTO follows (who_id, whom_id)
                SELECT who.user_id, whom.user_id FROM users AS who, users AS whom
                WHERE who.username = entry.name AND whom.username = entry.other
                ON CONFLICT DO NOTHING;
            WHEN 4 THEN
                DELETE FROM follows
                WHERE who_id = (SELECT user_id FROM users WHERE username = entry.name)
                    AND whom_id = (SELECT user_id FROM users WHERE username = entry.other);
        END CASE;
        IF FOUND THEN
            results := results || 0::SMALLINT;
        ELSIF entry.kind = 1 THEN
            results := results || 1::SMALLINT;
        ELSIF entry.kind = 2 THEN
            results := results || 2::SMALLINT;
        -- An edge that needed no change is told from a user who does not exist.
        ELSIF EXISTS (SELECT 1 FROM users WHERE username = entry.name)
            AND EXISTS (SELECT 1 FROM users WHERE username = entry.other)
        THEN
            results := results || 0::SMALLINT;
        ELSE
            results := results || 2::SMALLINT;
        END IF;
    END LOOP;
    UPDATE writers SET batch_id = batch, outcomes = results, seen_at = now()
    WHERE writer_id = writer AND session_id = session;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the session of this writer is over' USING ERRCODE = 'LM001';
    END IF;
    RETURN results;
END
$$;
