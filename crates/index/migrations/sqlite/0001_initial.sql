-- Ids are the 16 bytes of a UUID. Times are nanoseconds since the Unix epoch, UTC, in columns named *_wall_ns.
-- A migration that was released is never edited: the program checks its hash and refuses the database otherwise.

-- Which database this is. The schema version is in _sqlx_migrations, which the migrations keep themselves.
CREATE TABLE meta (
    one             INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    database_id     BLOB    NOT NULL CHECK (length(database_id) = 16),
    -- Counts the starts. A lower value than the one last seen tells an older copy that was put back.
    generation      INTEGER NOT NULL CHECK (generation >= 1),
    created_wall_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE agencies (
    agency_id BLOB NOT NULL PRIMARY KEY CHECK (length(agency_id) = 16),
    parent_id BLOB REFERENCES agencies (agency_id),
    name      TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200)
) STRICT;
CREATE INDEX agencies_parent ON agencies (parent_id);

CREATE TABLE sites (
    site_id   BLOB NOT NULL PRIMARY KEY CHECK (length(site_id) = 16),
    agency_id BLOB NOT NULL REFERENCES agencies (agency_id),
    name      TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200)
) STRICT;
CREATE INDEX sites_agency ON sites (agency_id);

CREATE TABLE contact_points (
    contact_point_id BLOB NOT NULL PRIMARY KEY CHECK (length(contact_point_id) = 16),
    site_id          BLOB NOT NULL REFERENCES sites (site_id),
    name             TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200)
) STRICT;
CREATE INDEX contact_points_site ON contact_points (site_id);

CREATE TABLE cameras (
    camera_id        BLOB    NOT NULL PRIMARY KEY CHECK (length(camera_id) = 16),
    name             TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    contact_point_id BLOB    REFERENCES contact_points (contact_point_id),
    main_url         TEXT    NOT NULL,
    sub_url          TEXT,
    username         TEXT    NOT NULL,
    -- As typed, readable by whoever can read this file (made with mode 0600). To be sealed with a key kept elsewhere.
    password         TEXT    NOT NULL,
    paused           INTEGER NOT NULL CHECK (paused IN (0, 1)),
    created_wall_ns  INTEGER NOT NULL,
    -- Set when it was removed: the row stays, so that its footage keeps a name.
    removed_wall_ns  INTEGER
) STRICT;
CREATE INDEX cameras_contact_point ON cameras (contact_point_id);

-- The large table: 1,000 cameras x 2 streams x 90 days x 1,440 segments a day = 259 million rows. The rows are stored in
-- the order of the key, so one day of one stream is one seek and a read of neighbouring pages, and writing touches one
-- page a stream. No foreign key to cameras: footage found on a disk is listed even when nobody knows its camera.
CREATE TABLE segments (
    camera_id     BLOB    NOT NULL CHECK (length(camera_id) = 16),
    stream        INTEGER NOT NULL CHECK (stream IN (0, 1)),        -- 0 main, 1 sub
    start_wall_ns INTEGER NOT NULL,
    segment_id    BLOB    NOT NULL CHECK (length(segment_id) = 16),
    end_wall_ns   INTEGER NOT NULL,
    storage_key   TEXT    NOT NULL CHECK (length(storage_key) BETWEEN 1 AND 1024),
    bytes         INTEGER NOT NULL CHECK (bytes >= 0),
    video_samples INTEGER NOT NULL CHECK (video_samples >= 0),
    audio_samples INTEGER NOT NULL CHECK (audio_samples >= 0),
    state         INTEGER NOT NULL CHECK (state IN (0, 1, 2)),      -- 0 recording, 1 closed, 2 suspect
    CHECK (end_wall_ns >= start_wall_ns),
    PRIMARY KEY (camera_id, stream, start_wall_ns, segment_id)
) STRICT, WITHOUT ROWID;
-- One file has one row. Keys sort by camera, stream and day, so this too is written in few places.
CREATE UNIQUE INDEX segments_key ON segments (storage_key);
-- Holds only what is being written, one row a stream; progress names a segment by its id alone.
CREATE UNIQUE INDEX segments_recording ON segments (segment_id) WHERE state = 0;

-- The sums over `segments`, kept by the triggers: counting 259 million rows would take minutes.
CREATE TABLE segment_totals (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    segments INTEGER NOT NULL,
    bytes    INTEGER NOT NULL
) STRICT;
INSERT INTO segment_totals (one, segments, bytes) VALUES (1, 0, 0);
CREATE TRIGGER segments_inserted AFTER INSERT ON segments BEGIN
    UPDATE segment_totals SET segments = segments + 1, bytes = bytes + NEW.bytes WHERE one = 1;
END;
CREATE TRIGGER segments_grown AFTER UPDATE OF bytes ON segments BEGIN
    UPDATE segment_totals SET bytes = bytes + NEW.bytes - OLD.bytes WHERE one = 1;
END;
CREATE TRIGGER segments_deleted AFTER DELETE ON segments BEGIN
    UPDATE segment_totals SET segments = segments - 1, bytes = bytes - OLD.bytes WHERE one = 1;
END;

CREATE TABLE gaps (
    camera_id     BLOB    NOT NULL CHECK (length(camera_id) = 16),
    stream        INTEGER NOT NULL CHECK (stream IN (0, 1)),
    start_wall_ns INTEGER NOT NULL,
    cause         TEXT    NOT NULL CHECK (length(cause) > 0),
    -- NULL while it lasts.
    end_wall_ns   INTEGER,
    CHECK (end_wall_ns > start_wall_ns),
    PRIMARY KEY (camera_id, stream, start_wall_ns, cause)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX gaps_open ON gaps (camera_id, stream) WHERE end_wall_ns IS NULL;

CREATE TABLE incidents (
    incident_id     BLOB    NOT NULL PRIMARY KEY CHECK (length(incident_id) = 16),
    start_wall_ns   INTEGER NOT NULL,
    end_wall_ns     INTEGER NOT NULL,
    category        TEXT    NOT NULL CHECK (length(category) > 0),
    note            TEXT    NOT NULL,
    author          TEXT    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('new', 'in_progress', 'shelved', 'closed')),
    created_wall_ns INTEGER NOT NULL,
    updated_wall_ns INTEGER NOT NULL,
    version         INTEGER NOT NULL CHECK (version >= 0),
    CHECK (end_wall_ns > start_wall_ns)
) STRICT;
CREATE INDEX incidents_created ON incidents (created_wall_ns, incident_id);

-- No foreign key to cameras, for the same reason as with segments.
CREATE TABLE incident_cameras (
    incident_id BLOB    NOT NULL REFERENCES incidents (incident_id) ON DELETE CASCADE,
    position    INTEGER NOT NULL CHECK (position >= 0),
    camera_id   BLOB    NOT NULL CHECK (length(camera_id) = 16),
    PRIMARY KEY (incident_id, position),
    UNIQUE (incident_id, camera_id)
) STRICT, WITHOUT ROWID;
