-- A ledger as schema 14 wrote it. Never edited: ledgers like it are in use.
BEGIN TRANSACTION;
CREATE TABLE archives (
    parent_id TEXT NOT NULL,
    name      TEXT NOT NULL,
    drive_id  TEXT NOT NULL UNIQUE,
    PRIMARY KEY (parent_id, name)
);
INSERT INTO "archives" VALUES('1ParentFolder00000000000000000000','arquivo','1ArchiveFolder0000000000000000000');
CREATE TABLE cycles (
    kind         TEXT   NOT NULL PRIMARY KEY,
    started_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL,
    succeeded_at BIGINT,
    failure      TEXT
);
INSERT INTO "cycles" VALUES('watch',1763942499000,1763942530000,1763942530000,NULL);
CREATE TABLE drive_units (
    -- Days since 1970-01-01.
    day    BIGINT NOT NULL PRIMARY KEY,
    calls  BIGINT NOT NULL,
    units  BIGINT NOT NULL,
    writes BIGINT NOT NULL
);
INSERT INTO "drive_units" VALUES(20416,1200,98000,310);
CREATE TABLE dropped_folders (
    folder_id TEXT   NOT NULL PRIMARY KEY,
    user_id   TEXT   NOT NULL REFERENCES technicians (user_id) ON UPDATE CASCADE,
    parent_id TEXT   NOT NULL,
    -- The folder below `novos`, `/`-separated.
    below     TEXT   NOT NULL,
    seen_at   BIGINT NOT NULL,
    -- When its files had all been taken out and it was moved to `processados`.
    ended_at  BIGINT
);
INSERT INTO "dropped_folders" VALUES('1Dropped00000000000000000000000000','42','1NovosAnaMaria0000000000000000000','lote 1',1763942499000,NULL);
CREATE TABLE events (
    event_id        TEXT   NOT NULL PRIMARY KEY,
    seq             BIGINT NOT NULL UNIQUE,
    kind            TEXT   NOT NULL CHECK (kind IN ('folders', 'process')),
    user_id         TEXT   NOT NULL,
    job_id          TEXT   NOT NULL,
    url             TEXT   NOT NULL,
    payload         TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    delivered_at    BIGINT,
    dead_at         BIGINT,
    last_error      TEXT
, earlier_attempts BIGINT NOT NULL DEFAULT 0, by_caller BIGINT NOT NULL DEFAULT 0);
INSERT INTO "events" VALUES('evt_01a209d0d9d77141bbabdd52d893f6c1',1,'process','42','item_f6b0ca18f57afdd96f1c0ca317fb7bca','https://backend.example.com/api/callbacks/process','{"user_id":"42","job_id":"item_f6b0ca18f57afdd96f1c0ca317fb7bca","status":"success","result":{"message":"1 arquivo processado.","files_processed":1,"files":[]}}',1763942503000,1,1763942503000,1763942510000,NULL,NULL,0,0);
INSERT INTO "events" VALUES('evt_01a209d0d9d77141bbabdd52d893f6c2',2,'process','42','item_4d0b9895e0b8335a358677e206da9f95','https://old.example.com/api/callbacks/process','{"user_id":"42","job_id":"item_4d0b9895e0b8335a358677e206da9f95","status":"error","result":{"message":"1 arquivo recusado.","code":"files_refused","files_processed":0,"files":[]}}',1763942520000,3,1763942530000,NULL,NULL,'410 Gone',0,0);
CREATE TABLE feeds (
    feed       TEXT   NOT NULL PRIMARY KEY,
    token      TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);
INSERT INTO "feeds" VALUES('user','4711',1763942530000);
CREATE TABLE folders (
    user_id  TEXT NOT NULL REFERENCES technicians (user_id) ON UPDATE CASCADE,
    path     TEXT NOT NULL,
    role     TEXT NOT NULL,
    drive_id TEXT NOT NULL UNIQUE,
    state    TEXT NOT NULL CHECK (state IN ('reserved', 'created')),
    PRIMARY KEY (user_id, path)
);
INSERT INTO "folders" VALUES('42','','usuario','1RootAnaMaria00000000000000000000','created');
INSERT INTO "folders" VALUES('42','pdfs','caminho','1PdfsAnaMaria00000000000000000000','created');
INSERT INTO "folders" VALUES('42','pdfs/novos','novos','1NovosAnaMaria0000000000000000000','created');
INSERT INTO "folders" VALUES('42','pdfs/processados','processados','1ProcAnaMaria00000000000000000000','created');
INSERT INTO "folders" VALUES('42','pdfs/erro','erro','1ErroAnaMaria00000000000000000000','reserved');
CREATE TABLE item_history (
    item_id    TEXT   NOT NULL REFERENCES items (item_id),
    line       BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    from_state TEXT,
    to_state   TEXT   NOT NULL,
    attempt    BIGINT NOT NULL,
    note       TEXT   NOT NULL,
    PRIMARY KEY (item_id, line)
);
INSERT INTO "item_history" VALUES('item_f6b0ca18f57afdd96f1c0ca317fb7bca',1,1763942500000,NULL,'found',1,'16517189.pdf');
INSERT INTO "item_history" VALUES('item_f6b0ca18f57afdd96f1c0ca317fb7bca',2,1763942501000,'found','fetched',1,'pdfs/novos/16517189.pdf');
INSERT INTO "item_history" VALUES('item_f6b0ca18f57afdd96f1c0ca317fb7bca',3,1763942502000,'fetched','judged',1,'processado');
INSERT INTO "item_history" VALUES('item_f6b0ca18f57afdd96f1c0ca317fb7bca',4,1763942503000,'judged','filed',1,'pdfs/processados/16517189.pdf');
INSERT INTO "item_history" VALUES('item_f6b0ca18f57afdd96f1c0ca317fb7bca',5,1763942510000,'filed','reported',1,'evt_01a209d0d9d77141bbabdd52d893f6c1');
INSERT INTO "item_history" VALUES('item_4d0b9895e0b8335a358677e206da9f95',1,1763942500000,NULL,'found',1,'16517190.pdf');
INSERT INTO "item_history" VALUES('item_a98bd60a33669af183f20157b59bdaad',1,1763942500000,NULL,'found',1,'16517191.pdf');
CREATE TABLE items (
    item_id         TEXT   NOT NULL PRIMARY KEY,
    -- Order of arrival, over all technicians.
    seq             BIGINT NOT NULL UNIQUE,
    user_id         TEXT   NOT NULL REFERENCES technicians (user_id) ON UPDATE CASCADE,
    file_id         TEXT   NOT NULL,
    version         TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    mime_type       TEXT   NOT NULL,
    size            BIGINT,
    md5             TEXT,
    parent_id       TEXT   NOT NULL,
    below           TEXT   NOT NULL,
    not_before      BIGINT NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('found', 'fetched', 'judged', 'filed', 'withdrawn', 'reported')),
    outcome         TEXT   CHECK (outcome IN ('processado', 'erro', 'retirado')),
    attempt         BIGINT NOT NULL,
    waits           BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    reason          TEXT,
    local_path      TEXT,
    data            TEXT,
    event_id        TEXT,
    found_at        BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL, missing_since BIGINT, job_id TEXT, job_url TEXT, renamed_to TEXT, setback TEXT, copied_at BIGINT, interruptions BIGINT NOT NULL DEFAULT 0,
    UNIQUE (file_id, version)
);
INSERT INTO "items" VALUES('item_f6b0ca18f57afdd96f1c0ca317fb7bca',1,'42','1File16517189','0Rev1','16517189.pdf','application/pdf',1024,'0cc175b9c0f1b6a831c399e269772661','1NovosAnaMaria0000000000000000000','',1763942500000,'reported','processado',1,0,1763942510000,NULL,'pdfs/processados/16517189.pdf','{"os": 16517189}','evt_01a209d0d9d77141bbabdd52d893f6c1',1763942500000,1763942510000,NULL,NULL,NULL,'16517189 novo.pdf',NULL,1763942500700,0);
INSERT INTO "items" VALUES('item_4d0b9895e0b8335a358677e206da9f95',2,'42','1File16517190','0Rev1','16517190.pdf','application/pdf',12,'92eb5ffee6ae2fec3ad71c777531578f','1NovosAnaMaria0000000000000000000','',1763942500000,'filed','erro',2,0,1763942520000,'o arquivo não é um PDF','pdfs/erro/16517190.pdf',NULL,'evt_01a209d0d9d77141bbabdd52d893f6c2',1763942500000,1763942520000,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "items" VALUES('item_a98bd60a33669af183f20157b59bdaad',3,'42','1File16517191','0Rev2','16517191.pdf','application/pdf',2048,'4a8a08f09d37b73795649038408b5f33','1NovosAnaMaria0000000000000000000','lote 1',1763942500000,'fetched',NULL,1,2,1763942600000,'process.command cannot be started: juiz','pdfs/novos/16517191.pdf',NULL,NULL,1763942500000,1763942530000,1763942590000,'job-7','https://backend.example.com/aqui',NULL,'command_unusable',1763942500700,2);
CREATE TABLE jobs (
    job_id          TEXT   NOT NULL PRIMARY KEY,
    -- Order of acceptance.
    seq             BIGINT NOT NULL UNIQUE,
    kind            TEXT   NOT NULL CHECK (kind IN ('create', 'process')),
    user_id         TEXT   NOT NULL,
    -- The checked request, as JSON.
    request         TEXT   NOT NULL,
    -- Where its callbacks go instead of the configured address; checked too.
    callback_url    TEXT,
    state           TEXT   NOT NULL CHECK (state IN ('accepted', 'running', 'success', 'error')),
    attempts        BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    -- How it ended, as JSON; why it waits, while it does.
    result          TEXT,
    accepted_at     BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL
);
INSERT INTO "jobs" VALUES('job_01a209d0d9d77141bbabdd52d893f6c4',1,'create','42','{"user_id":"42","user_email":"ana@example.com","user_name":"Ana Maria"}',NULL,'success',1,1763942400000,'{"user_folder_id":"1RootAnaMaria00000000000000000000"}',1763942400000,1763942410000);
CREATE TABLE recheck (
    item_id     TEXT   NOT NULL PRIMARY KEY REFERENCES items (item_id),
    restored_at BIGINT NOT NULL
);
INSERT INTO "recheck" VALUES('item_a98bd60a33669af183f20157b59bdaad',1763942550000);
CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY);
INSERT INTO "schema_version" VALUES(1);
INSERT INTO "schema_version" VALUES(2);
INSERT INTO "schema_version" VALUES(3);
INSERT INTO "schema_version" VALUES(4);
INSERT INTO "schema_version" VALUES(5);
INSERT INTO "schema_version" VALUES(6);
INSERT INTO "schema_version" VALUES(7);
INSERT INTO "schema_version" VALUES(8);
INSERT INTO "schema_version" VALUES(9);
INSERT INTO "schema_version" VALUES(10);
INSERT INTO "schema_version" VALUES(11);
INSERT INTO "schema_version" VALUES(12);
INSERT INTO "schema_version" VALUES(13);
INSERT INTO "schema_version" VALUES(14);
INSERT INTO "schema_version" VALUES(15);
CREATE TABLE spare_ids (
    id TEXT NOT NULL PRIMARY KEY
);
INSERT INTO "spare_ids" VALUES('1Spare000000000000000000000000000');
CREATE TABLE stopped_addresses (
    url        TEXT   NOT NULL PRIMARY KEY,
    stopped_at BIGINT NOT NULL,
    reason     TEXT   NOT NULL
);
INSERT INTO "stopped_addresses" VALUES('https://old.example.com/api/callbacks/process',1763942525000,'410 Gone');
CREATE TABLE technicians (
    user_id     TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    email       TEXT,
    portal_user TEXT,
    folder      TEXT   NOT NULL,
    -- The folder as a file system that folds case sees it.
    folder_key  TEXT   NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    removed_at  BIGINT
, listed_at BIGINT NOT NULL DEFAULT 0, removing_at BIGINT, place TEXT, former_email TEXT, registry_entry TEXT, renaming_at BIGINT);
INSERT INTO "technicians" VALUES('42','Ana Maria','ana@example.com','ana.maria','Ana_Maria','ana_maria',1763942400000,NULL,1763942530000,NULL,NULL,'ana.antiga@example.com',NULL,1763942540000);
INSERT INTO "technicians" VALUES('43','João Silva',NULL,NULL,'João_Silva','joão_silva',1763942401000,1764028800000,0,NULL,'arquivo/João_Silva',NULL,'{"nome":"João Silva"}',NULL);
CREATE TABLE wanted_grants (
    user_id TEXT   NOT NULL REFERENCES technicians (user_id) ON UPDATE CASCADE,
    email   TEXT   NOT NULL,
    role    TEXT   NOT NULL,
    notify  BIGINT NOT NULL,
    PRIMARY KEY (user_id, email)
);
INSERT INTO "wanted_grants" VALUES('42','chefe@example.com','reader',0);
CREATE INDEX items_by_state ON items (state, seq);
CREATE INDEX items_by_user ON items (user_id, state, seq);
CREATE INDEX items_by_name ON items (name);
CREATE INDEX items_by_event ON items (event_id);
CREATE INDEX items_by_new_name ON items (renamed_to);
CREATE INDEX events_open ON events (delivered_at, dead_at, next_attempt_at);
CREATE INDEX dropped_by_user ON dropped_folders (user_id);
CREATE INDEX items_by_parent ON items (parent_id, state);
CREATE INDEX items_by_path ON items (user_id, local_path);
CREATE INDEX jobs_open ON jobs (state, kind, seq);
CREATE INDEX events_by_job ON events (job_id);
CREATE INDEX technicians_by_listing ON technicians (removed_at, listed_at, user_id);
COMMIT;
