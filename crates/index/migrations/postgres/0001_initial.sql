-- Times are nanoseconds since the Unix epoch, UTC, in columns named *_wall_ns. Texts are compared by code point
-- (COLLATE "C"), whatever the database was made with: who shows names sorts them as the language asks.
-- A migration that was released is never edited: the program checks its hash and refuses the database otherwise.

-- Which database this is. The schema version is in _sqlx_migrations, which the migrations keep themselves.
CREATE TABLE meta (
    one             SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
    database_id     UUID     NOT NULL,
    -- Counts the starts. A lower value than the one last seen tells an older copy that was put back.
    generation      BIGINT   NOT NULL CHECK (generation >= 1),
    created_wall_ns BIGINT   NOT NULL
);

CREATE TABLE agencies (
    agency_id UUID NOT NULL PRIMARY KEY,
    parent_id UUID REFERENCES agencies (agency_id),
    name      TEXT COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200)
);
CREATE INDEX agencies_parent ON agencies (parent_id);

CREATE TABLE sites (
    site_id   UUID NOT NULL PRIMARY KEY,
    agency_id UUID NOT NULL REFERENCES agencies (agency_id),
    name      TEXT COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200)
);
CREATE INDEX sites_agency ON sites (agency_id);

CREATE TABLE contact_points (
    contact_point_id UUID NOT NULL PRIMARY KEY,
    site_id          UUID NOT NULL REFERENCES sites (site_id),
    name             TEXT COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200)
);
CREATE INDEX contact_points_site ON contact_points (site_id);

CREATE TABLE cameras (
    camera_id        UUID    NOT NULL PRIMARY KEY,
    name             TEXT COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    contact_point_id UUID    REFERENCES contact_points (contact_point_id),
    main_url         TEXT    NOT NULL,
    sub_url          TEXT,
    username         TEXT    NOT NULL,
    -- As typed, readable by whoever can read this database. To be sealed with a key kept elsewhere.
    password         TEXT    NOT NULL,
    paused           BOOLEAN NOT NULL,
    created_wall_ns  BIGINT  NOT NULL,
    -- Set when it was removed: the row stays, so that its footage keeps a name.
    removed_wall_ns  BIGINT
);
CREATE INDEX cameras_contact_point ON cameras (contact_point_id);

-- The segments being written, one row a stream. Each is updated every second or two, and no index names a column that
-- such an update changes: with half of each page free it stays in its page and touches no index (a HOT update).
-- No foreign key to cameras, here and below: footage is listed even when nobody knows its camera.
CREATE TABLE recording (
    start_wall_ns BIGINT   NOT NULL,
    end_wall_ns   BIGINT   NOT NULL,
    bytes         BIGINT   NOT NULL CHECK (bytes >= 0),
    video_samples BIGINT   NOT NULL CHECK (video_samples >= 0),
    audio_samples BIGINT   NOT NULL CHECK (audio_samples >= 0),
    camera_id     UUID     NOT NULL,
    segment_id    UUID     NOT NULL PRIMARY KEY,
    stream        SMALLINT NOT NULL CHECK (stream IN (0, 1)),            -- 0 main, 1 sub
    storage_key   TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(storage_key) BETWEEN 1 AND 1024),
    CHECK (end_wall_ns >= start_wall_ns)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
CREATE INDEX recording_stream ON recording (camera_id, stream, start_wall_ns, segment_id);

-- The large table: 1,000 cameras x 2 streams x 90 days x 1,440 segments a day = 259 million rows, some 65 GB, and half
-- as much again of indexes. A row comes when its segment closes, is changed once, when its files reach the archive, and
-- goes when they are deleted. Rows lie in the order they came, a thousand streams mixed, so a timeline must not read
-- them: the key carries the end, and one day of one stream is some twenty neighbouring pages of it. Pages are left a
-- tenth free so that the one change touches no index.
CREATE TABLE segments (
    start_wall_ns BIGINT   NOT NULL,
    end_wall_ns   BIGINT   NOT NULL,
    bytes         BIGINT   NOT NULL CHECK (bytes >= 0),
    video_samples BIGINT   NOT NULL CHECK (video_samples >= 0),
    audio_samples BIGINT   NOT NULL CHECK (audio_samples >= 0),
    camera_id     UUID     NOT NULL,
    segment_id    UUID     NOT NULL,
    stream        SMALLINT NOT NULL CHECK (stream IN (0, 1)),
    state         SMALLINT NOT NULL CHECK (state IN (1, 2)),             -- 1 closed, 2 suspect
    tier          SMALLINT NOT NULL CHECK (tier IN (0, 1)),              -- 0 spool, 1 archive
    storage_key   TEXT COLLATE "C" NOT NULL CHECK (length(storage_key) BETWEEN 1 AND 1024),
    CHECK (end_wall_ns >= start_wall_ns),
    PRIMARY KEY (camera_id, stream, start_wall_ns, segment_id) INCLUDE (end_wall_ns)
) WITH (
    fillfactor = 90,
    -- Pages that no vacuum has seen make the key alone not enough. Looking at new pages costs little; going through the
    -- indexes for what was deleted costs much, and is done every few days.
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02
);
-- One file has one row. Keys sort by camera, stream and day, so this is written in few places.
CREATE UNIQUE INDEX segments_key ON segments (storage_key);

-- The closed segments that are not in the archive, oldest first: kept by the triggers, because a partial index would
-- make each arrival in the archive a new entry in every index of the large table.
CREATE TABLE spool (
    end_wall_ns   BIGINT   NOT NULL,
    segment_id    UUID     NOT NULL,
    camera_id     UUID     NOT NULL,
    stream        SMALLINT NOT NULL,
    start_wall_ns BIGINT   NOT NULL,
    PRIMARY KEY (end_wall_ns, segment_id, camera_id, stream, start_wall_ns)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

-- Segments marked for deletion, whose files may still be there. A row moves here from `segments`, so that it is in no
-- other answer.
CREATE TABLE deleting (
    storage_key   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    start_wall_ns BIGINT   NOT NULL,
    end_wall_ns   BIGINT   NOT NULL,
    bytes         BIGINT   NOT NULL,
    video_samples BIGINT   NOT NULL,
    audio_samples BIGINT   NOT NULL,
    camera_id     UUID     NOT NULL,
    segment_id    UUID     NOT NULL,
    stream        SMALLINT NOT NULL,
    state         SMALLINT NOT NULL CHECK (state IN (1, 2)),
    tier          SMALLINT NOT NULL CHECK (tier IN (0, 1))
);
CREATE INDEX deleting_segment ON deleting (segment_id);

-- Every segment that is not being deleted. 0: recording, in the spool.
CREATE VIEW footage AS
    SELECT camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes, video_samples, audio_samples,
           state, tier
    FROM segments
    UNION ALL
    SELECT camera_id, stream, start_wall_ns, segment_id, end_wall_ns, storage_key, bytes, video_samples, audio_samples,
           0::SMALLINT AS state, 0::SMALLINT AS tier
    FROM recording;

-- The sums over `segments`, kept by the triggers: counting 259 million rows would take minutes. Sixteen rows, one for
-- each connection as good as: a single one would be locked by each writer until its commit is on the disk.
CREATE TABLE segment_totals (
    shard    SMALLINT NOT NULL PRIMARY KEY CHECK (shard BETWEEN 0 AND 15),
    segments BIGINT   NOT NULL,
    bytes    BIGINT   NOT NULL
) WITH (fillfactor = 10);
INSERT INTO segment_totals (shard, segments, bytes) SELECT shard, 0, 0 FROM generate_series(0, 15) AS shard;

CREATE FUNCTION segments_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO spool (end_wall_ns, segment_id, camera_id, stream, start_wall_ns)
    SELECT end_wall_ns, segment_id, camera_id, stream, start_wall_ns FROM added WHERE tier = 0;
    UPDATE segment_totals AS t SET segments = t.segments + a.segments, bytes = t.bytes + a.bytes
    FROM (SELECT count(*) AS segments, sum(bytes) AS bytes FROM added) AS a
    WHERE t.shard = pg_backend_pid() % 16 AND a.segments > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER segments_added AFTER INSERT ON segments
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION segments_added();

CREATE FUNCTION segments_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM spool AS s USING taken AS g
    WHERE g.tier = 0 AND s.end_wall_ns = g.end_wall_ns AND s.segment_id = g.segment_id
      AND s.camera_id = g.camera_id AND s.stream = g.stream AND s.start_wall_ns = g.start_wall_ns;
    UPDATE segment_totals AS t SET segments = t.segments - g.segments, bytes = t.bytes - g.bytes
    FROM (SELECT count(*) AS segments, sum(bytes) AS bytes FROM taken) AS g
    WHERE t.shard = pg_backend_pid() % 16 AND g.segments > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER segments_taken AFTER DELETE ON segments
    REFERENCING OLD TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION segments_taken();

CREATE FUNCTION segment_archived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM spool
    WHERE end_wall_ns = OLD.end_wall_ns AND segment_id = OLD.segment_id
      AND camera_id = OLD.camera_id AND stream = OLD.stream AND start_wall_ns = OLD.start_wall_ns;
    RETURN NULL;
END $$;
CREATE TRIGGER segment_archived AFTER UPDATE OF tier ON segments
    FOR EACH ROW WHEN (OLD.tier = 0 AND NEW.tier = 1) EXECUTE FUNCTION segment_archived();

-- A storage key is in one of the three tables at most. The lock makes two that bring the same key wait for each other;
-- what is asked after it is seen as of then, because the function is volatile.
CREATE FUNCTION one_row_a_file() RETURNS trigger LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.storage_key, 0));
    IF (TG_TABLE_NAME = 'segments' AND EXISTS (SELECT 1 FROM recording WHERE storage_key = NEW.storage_key))
       OR (TG_TABLE_NAME = 'recording' AND EXISTS (SELECT 1 FROM segments WHERE storage_key = NEW.storage_key))
       OR EXISTS (SELECT 1 FROM deleting WHERE storage_key = NEW.storage_key) THEN
        RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = 'the storage key is taken';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER recording_one_row_a_file AFTER INSERT ON recording
    FOR EACH ROW EXECUTE FUNCTION one_row_a_file();
CREATE TRIGGER segments_one_row_a_file AFTER INSERT ON segments
    FOR EACH ROW EXECUTE FUNCTION one_row_a_file();

CREATE TABLE gaps (
    camera_id     UUID     NOT NULL,
    stream        SMALLINT NOT NULL CHECK (stream IN (0, 1)),
    start_wall_ns BIGINT   NOT NULL,
    cause         TEXT COLLATE "C" NOT NULL CHECK (length(cause) > 0),
    -- NULL while it lasts.
    end_wall_ns   BIGINT,
    CHECK (end_wall_ns > start_wall_ns),
    PRIMARY KEY (camera_id, stream, start_wall_ns, cause)
);
CREATE UNIQUE INDEX gaps_open ON gaps (camera_id, stream) WHERE end_wall_ns IS NULL;

-- The journal of deletions. It outlives the footage and is only added to, at its end.
CREATE TABLE deletions (
    decided_wall_ns BIGINT   NOT NULL,
    start_wall_ns   BIGINT   NOT NULL,
    end_wall_ns     BIGINT   NOT NULL,
    bytes           BIGINT   NOT NULL CHECK (bytes >= 0),
    camera_id       UUID     NOT NULL,
    segment_id      UUID     NOT NULL,
    stream          SMALLINT NOT NULL CHECK (stream IN (0, 1)),
    storage_key     TEXT COLLATE "C" NOT NULL CHECK (length(storage_key) BETWEEN 1 AND 1024),
    reason          TEXT     NOT NULL CHECK (length(reason) > 0),
    CHECK (end_wall_ns >= start_wall_ns),
    PRIMARY KEY (decided_wall_ns, segment_id)
);
CREATE INDEX deletions_camera ON deletions (camera_id, decided_wall_ns, segment_id);

-- Stretches of segments that were found to differ from what was recorded. Few, or somebody is being told.
CREATE TABLE damages (
    camera_id     UUID     NOT NULL,
    stream        SMALLINT NOT NULL CHECK (stream IN (0, 1)),
    start_wall_ns BIGINT   NOT NULL,
    segment_id    UUID     NOT NULL,
    end_wall_ns   BIGINT   NOT NULL,
    kind          TEXT     NOT NULL CHECK (length(kind) > 0),
    found_wall_ns BIGINT   NOT NULL,
    CHECK (end_wall_ns >= start_wall_ns),
    PRIMARY KEY (camera_id, stream, start_wall_ns, segment_id, end_wall_ns)
);
CREATE INDEX damages_segment ON damages (segment_id);

-- Holds; a row stays when the hold has ended. The cameras are in the order they were given.
CREATE TABLE holds (
    hold_id          UUID   NOT NULL PRIMARY KEY,
    camera_ids       UUID[] NOT NULL CHECK (cardinality(camera_ids) > 0),
    start_wall_ns    BIGINT NOT NULL,
    end_wall_ns      BIGINT NOT NULL,
    reason           TEXT   NOT NULL,
    case_code        TEXT   NOT NULL,
    owner            TEXT   NOT NULL,
    created_wall_ns  BIGINT NOT NULL,
    -- NULL for never.
    expires_wall_ns  BIGINT,
    -- All three NULL while it was not released.
    released_wall_ns BIGINT,
    released_by      TEXT,
    release_reason   TEXT,
    CHECK (end_wall_ns > start_wall_ns),
    CHECK ((released_wall_ns IS NULL) = (released_by IS NULL) AND (released_by IS NULL) = (release_reason IS NULL))
);
CREATE INDEX holds_created ON holds (created_wall_ns, hold_id);
-- What may stand: few, whatever was held over the years.
CREATE INDEX holds_unreleased ON holds (end_wall_ns) WHERE released_wall_ns IS NULL;

-- How long footage is kept. No foreign keys: what is said of a place or camera stays said when it goes.
CREATE TABLE retentions (
    -- 0 default, 1 agency, 2 site, 3 contact point, 4 camera
    scope    SMALLINT NOT NULL CHECK (scope BETWEEN 0 AND 4),
    -- The 16 bytes of an id; empty for the default.
    scope_id BYTEA    NOT NULL CHECK (length(scope_id) = CASE scope WHEN 0 THEN 0 ELSE 16 END),
    min_days BIGINT   NOT NULL CHECK (min_days BETWEEN 0 AND 4294967295),
    -- NULL for no end.
    max_days BIGINT   CHECK (max_days BETWEEN 1 AND 4294967295 AND max_days >= min_days),
    PRIMARY KEY (scope, scope_id)
);

-- The cameras are in the order they were given.
CREATE TABLE incidents (
    incident_id     UUID   NOT NULL PRIMARY KEY,
    camera_ids      UUID[] NOT NULL CHECK (cardinality(camera_ids) > 0),
    start_wall_ns   BIGINT NOT NULL,
    end_wall_ns     BIGINT NOT NULL,
    category        TEXT   NOT NULL CHECK (length(category) > 0),
    note            TEXT   NOT NULL,
    author          TEXT   NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('new', 'in_progress', 'shelved', 'closed')),
    created_wall_ns BIGINT NOT NULL,
    updated_wall_ns BIGINT NOT NULL,
    version         BIGINT NOT NULL CHECK (version >= 0),
    CHECK (end_wall_ns > start_wall_ns)
);
CREATE INDEX incidents_created ON incidents (created_wall_ns, incident_id);
