CREATE VIEW "session_info" AS
SELECT * EXCLUDE (record_type)
FROM read_parquet('ROOT/record_type=session_info/**/*.parquet', hive_partitioning = true, hive_types_autocast = false, hive_types = {'date': DATE});

CREATE TABLE "session_info_typed" (
  "visitId" VARCHAR,
  "visitorId" VARCHAR,
  "contextId" VARCHAR,
  "sessionStartTime" TIMESTAMP WITH TIME ZONE,
  "userAgent" VARCHAR,
  "deviceOS" VARCHAR,
  "deviceFamily" VARCHAR,
  "siteControlGroup" VARCHAR,
  "searchEngine" VARCHAR,
  "searchEngineKey" VARCHAR,
  "metaData" STRUCT(
    "accountId" VARCHAR,
    "schemaVersion" VARCHAR,
    "startTime" TIMESTAMP WITH TIME ZONE,
    "endTime" TIMESTAMP WITH TIME ZONE
  ),
  "source_file" VARCHAR,
  "record_number" BIGINT,
  "rescued" VARCHAR,
  "date" DATE
);

COMMENT ON TABLE "session_info_typed" IS 'Information about the visitor’s browsing session.';
COMMENT ON COLUMN "session_info_typed"."visitId" IS 'Unique visitor session identifier.';
COMMENT ON COLUMN "session_info_typed"."visitorId" IS 'Unique visitor identifier of the visitor.';
COMMENT ON COLUMN "session_info_typed"."contextId" IS 'Context ID.';
COMMENT ON COLUMN "session_info_typed"."sessionStartTime" IS 'Visitor session’s start time.';
COMMENT ON COLUMN "session_info_typed"."userAgent" IS 'User agent.';
COMMENT ON COLUMN "session_info_typed"."deviceOS" IS 'Device OS type. Documented values: NA, WINDOWS, MAC_OS, LINUX, IOS, ANDROID.';
COMMENT ON COLUMN "session_info_typed"."deviceFamily" IS 'Device type. Documented values: NA, DESKTOP, TABLET, MOBILE.';
COMMENT ON COLUMN "session_info_typed"."siteControlGroup" IS 'Site control group. Documented values: NA, CONTROL, TEST.';
COMMENT ON COLUMN "session_info_typed"."searchEngine" IS 'Search engine. Exist only if the visitor started a session after searching a known search engine. It is extracted from the referrer URL.';
COMMENT ON COLUMN "session_info_typed"."searchEngineKey" IS 'Keywords used to search through the search engine prior to the session starting point. It is taken from the referrer URL.';
COMMENT ON COLUMN "session_info_typed"."metaData" IS 'The metaData of the record''s container.';
COMMENT ON COLUMN "session_info_typed"."source_file" IS 'The name of the source that contains the record.';
COMMENT ON COLUMN "session_info_typed"."record_number" IS 'The record''s number among all records of its source, from 0.';
COMMENT ON COLUMN "session_info_typed"."rescued" IS 'The record''s values that have no column, as a JSON object from path to value; null if every value has one.';
COMMENT ON COLUMN "session_info_typed"."date" IS 'The UTC day of the record''s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.';
