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

-- Executes the writes of a batch as if one after the other, and records it: a transaction in one
-- statement, so that no client holds the lock of `latest` across a round trip.
--
-- kinds: 1 register (name, email, hash), 2 tweet (author, text, date), 3 follow and 4 unfollow
-- (who, whom). Outcomes: 0 done, 1 the name is taken, 2 a user is unknown.
--
-- Tweets, which are most of what there is, are stored together behind all else, at half the cost.
-- Nothing else of a batch looks at a message, and a message looks at its author alone, who has to be
-- there already when its turn comes: in the batch, before it.
--
-- Without sequential scans, since a plan that was right for the first hundred users would be kept
-- for the next hundred thousand until somebody analyses the table; and without compiling plans, for
-- which the one scan that has no index (of a single row) would seem dear enough.
CREATE FUNCTION commit_batch(
    writer BYTEA, session BYTEA, batch BYTEA, command BIGINT,
    kinds SMALLINT[], names TEXT[], others TEXT[], hashes TEXT[], dates BIGINT[]
) RETURNS SMALLINT[] LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
    entry      RECORD;
    place      BIGINT;
    newcomers  TEXT[] := '{}';
    registered BIGINT[] := '{}';
    unknown    BIGINT[];
    results    SMALLINT[] := array_fill(0::SMALLINT, ARRAY[cardinality(kinds)]);
BEGIN
    UPDATE latest SET command_id = coalesce(command, command_id);
    FOR entry IN
        SELECT * FROM unnest(kinds, names, others, hashes) WITH ORDINALITY
            AS given (kind, name, other, hash, place)
        WHERE kind <> 2
    LOOP
        CASE entry.kind
            WHEN 1 THEN
                INSERT INTO users (username, email, pw_hash)
                VALUES (entry.name, entry.other, entry.hash)
                ON CONFLICT (username) DO NOTHING;
                IF FOUND THEN
                    newcomers := newcomers || entry.name;
                    registered := registered || entry.place;
                ELSE
                    results[entry.place] := 1;
                END IF;
                CONTINUE;
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
        -- An edge that needed no change is told from a user who does not exist.
        IF NOT FOUND AND NOT (
            EXISTS (SELECT 1 FROM users WHERE username = entry.name)
            AND EXISTS (SELECT 1 FROM users WHERE username = entry.other)
        ) THEN
            results[entry.place] := 2;
        END IF;
    END LOOP;
    IF 2 = ANY (kinds) THEN
        WITH tweets AS MATERIALIZED (
            SELECT given.place, user_id, text, pub_date
            FROM unnest(kinds, names, others, dates) WITH ORDINALITY
                AS given (kind, name, text, pub_date, place)
            LEFT JOIN unnest(newcomers, registered) AS newcomer (name, place) USING (name)
            LEFT JOIN users ON username = name
                AND given.place > coalesce(newcomer.place, 0)
            WHERE kind = 2
        ), stored AS (
            INSERT INTO messages (author_id, text, pub_date)
            SELECT user_id, text, pub_date FROM tweets WHERE user_id IS NOT NULL
            ORDER BY tweets.place
        )
        SELECT array_agg(tweets.place) INTO unknown FROM tweets WHERE user_id IS NULL;
        FOREACH place IN ARRAY coalesce(unknown, '{}') LOOP
            results[place] := 2;
        END LOOP;
    END IF;
    UPDATE writers SET batch_id = batch, outcomes = results, seen_at = now()
    WHERE writer_id = writer AND session_id = session;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the session of this writer is over' USING ERRCODE = 'LM001';
    END IF;
    RETURN results;
END
$$;
