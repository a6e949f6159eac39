-- A ledger as schema 1 wrote it. Never edited: ledgers like it are in use.
BEGIN TRANSACTION;
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
CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE spare_ids (
    id TEXT NOT NULL PRIMARY KEY
);
INSERT INTO "spare_ids" VALUES('1Spare000000000000000000000000000');
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
);
INSERT INTO "technicians" VALUES('42','Ana Maria','ana@example.com','ana.maria','Ana_Maria','ana_maria',1763942400000,NULL);
INSERT INTO "technicians" VALUES('43','João Silva',NULL,NULL,'João_Silva','joão_silva',1763942401000,1764028800000);
CREATE TABLE wanted_grants (
    user_id TEXT   NOT NULL REFERENCES technicians (user_id) ON UPDATE CASCADE,
    email   TEXT   NOT NULL,
    role    TEXT   NOT NULL,
    notify  BIGINT NOT NULL,
    PRIMARY KEY (user_id, email)
);
INSERT INTO "wanted_grants" VALUES('42','chefe@example.com','reader',0);
COMMIT;
