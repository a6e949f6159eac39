-- What was asked of Drive, day by day (UTC): the projects of Google's have a limit a day.
CREATE TABLE drive_units (
    -- Days since 1970-01-01.
    day    BIGINT NOT NULL PRIMARY KEY,
    calls  BIGINT NOT NULL,
    units  BIGINT NOT NULL,
    writes BIGINT NOT NULL
);
