-- Tiers, deletion and its journal, damage, holds, retention.

-- 0 spool, 1 archive. What was recorded before there was an archive lies on the disk it was recorded on.
ALTER TABLE segments ADD COLUMN tier INTEGER NOT NULL DEFAULT 0 CHECK (tier IN (0, 1));
-- What waits for the archive, oldest first. Grows at its end only, as segments close in the order of their ends. Where
-- there is an archive it holds the few that wait; where there is none, all: a full disk then asks it for the oldest.
CREATE INDEX segments_spooled ON segments (end_wall_ns, segment_id) WHERE tier = 0 AND state <> 0;

-- Segments marked for deletion, whose files may still be there. A row moves here from `segments`: so it is gone for
-- every query of that table, and their plans stay as they are. A storage key is in one of the two at most.
CREATE TABLE deleting (
    storage_key   TEXT    NOT NULL PRIMARY KEY,
    camera_id     BLOB    NOT NULL,
    stream        INTEGER NOT NULL,
    start_wall_ns INTEGER NOT NULL,
    segment_id    BLOB    NOT NULL,
    end_wall_ns   INTEGER NOT NULL,
    bytes         INTEGER NOT NULL,
    video_samples INTEGER NOT NULL,
    audio_samples INTEGER NOT NULL,
    state         INTEGER NOT NULL CHECK (state IN (1, 2)),
    tier          INTEGER NOT NULL CHECK (tier IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX deleting_segment ON deleting (segment_id);

-- The journal of deletions. It outlives the footage and is only added to, at its end.
CREATE TABLE deletions (
    decided_wall_ns INTEGER NOT NULL,
    segment_id      BLOB    NOT NULL CHECK (length(segment_id) = 16),
    camera_id       BLOB    NOT NULL CHECK (length(camera_id) = 16),
    stream          INTEGER NOT NULL CHECK (stream IN (0, 1)),
    start_wall_ns   INTEGER NOT NULL,
    end_wall_ns     INTEGER NOT NULL,
    storage_key     TEXT    NOT NULL CHECK (length(storage_key) BETWEEN 1 AND 1024),
    bytes           INTEGER NOT NULL CHECK (bytes >= 0),
    reason          TEXT    NOT NULL CHECK (length(reason) > 0),
    CHECK (end_wall_ns >= start_wall_ns),
    PRIMARY KEY (decided_wall_ns, segment_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deletions_camera ON deletions (camera_id, decided_wall_ns, segment_id);

-- Stretches of segments that were found to differ from what was recorded. Few, or somebody is being told.
CREATE TABLE damages (
    camera_id     BLOB    NOT NULL CHECK (length(camera_id) = 16),
    stream        INTEGER NOT NULL CHECK (stream IN (0, 1)),
    start_wall_ns INTEGER NOT NULL,
    segment_id    BLOB    NOT NULL CHECK (length(segment_id) = 16),
    end_wall_ns   INTEGER NOT NULL,
    kind          TEXT    NOT NULL CHECK (length(kind) > 0),
    found_wall_ns INTEGER NOT NULL,
    CHECK (end_wall_ns >= start_wall_ns),
    PRIMARY KEY (camera_id, stream, start_wall_ns, segment_id, end_wall_ns)
) STRICT, WITHOUT ROWID;
CREATE INDEX damages_segment ON damages (segment_id);

-- Holds; a row stays when the hold has ended.
CREATE TABLE holds (
    hold_id          BLOB    NOT NULL PRIMARY KEY CHECK (length(hold_id) = 16),
    start_wall_ns    INTEGER NOT NULL,
    end_wall_ns      INTEGER NOT NULL,
    reason           TEXT    NOT NULL,
    case_code        TEXT    NOT NULL,
    owner            TEXT    NOT NULL,
    created_wall_ns  INTEGER NOT NULL,
    -- NULL for never.
    expires_wall_ns  INTEGER,
    -- All three NULL while it was not released.
    released_wall_ns INTEGER,
    released_by      TEXT,
    release_reason   TEXT,
    CHECK (end_wall_ns > start_wall_ns),
    CHECK ((released_wall_ns IS NULL) = (released_by IS NULL) AND (released_by IS NULL) = (release_reason IS NULL))
) STRICT;
CREATE INDEX holds_created ON holds (created_wall_ns, hold_id);

-- No foreign key to cameras, for the same reason as with segments.
CREATE TABLE hold_cameras (
    hold_id   BLOB    NOT NULL REFERENCES holds (hold_id) ON DELETE CASCADE,
    position  INTEGER NOT NULL CHECK (position >= 0),
    camera_id BLOB    NOT NULL CHECK (length(camera_id) = 16),
    PRIMARY KEY (hold_id, position),
    UNIQUE (camera_id, hold_id)
) STRICT, WITHOUT ROWID;

-- How long footage is kept. No foreign keys: what is said of a place or camera stays said when it goes.
CREATE TABLE retentions (
    -- 0 default, 1 agency, 2 site, 3 contact point, 4 camera
    scope    INTEGER NOT NULL CHECK (scope BETWEEN 0 AND 4),
    -- Empty for the default.
    scope_id BLOB    NOT NULL CHECK (length(scope_id) = iif(scope = 0, 0, 16)),
    min_days INTEGER NOT NULL CHECK (min_days BETWEEN 0 AND 4294967295),
    -- NULL for no end.
    max_days INTEGER CHECK (max_days BETWEEN 1 AND 4294967295 AND max_days >= min_days),
    PRIMARY KEY (scope, scope_id)
) STRICT, WITHOUT ROWID;
