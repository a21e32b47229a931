CREATE VIEW "navigation" AS
SELECT * EXCLUDE (record_type)
FROM read_parquet('ROOT/record_type=navigation/**/*.parquet', hive_partitioning = true, hive_types_autocast = false, hive_types = {'date': DATE});

CREATE TABLE "navigation_typed" (
  "visitId" VARCHAR,
  "visitorId" VARCHAR,
  "contextId" VARCHAR,
  "navigationData" STRUCT(
    "timestamp" TIMESTAMP WITH TIME ZONE,
    "url" VARCHAR,
    "referrerUrl" VARCHAR,
    "sections" VARCHAR[]
  )[],
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

COMMENT ON TABLE "navigation_typed" IS 'Information about the navigated pages by the visitor on the brand’s website.';
COMMENT ON COLUMN "navigation_typed"."visitId" IS 'Unique visitor session identifier.';
COMMENT ON COLUMN "navigation_typed"."visitorId" IS 'Unique visitor identifier of the visitor.';
COMMENT ON COLUMN "navigation_typed"."contextId" IS 'Context ID.';
COMMENT ON COLUMN "navigation_typed"."navigationData" IS 'The pages that the visitor navigated.';
COMMENT ON COLUMN "navigation_typed"."metaData" IS 'The metaData of the record''s container.';
COMMENT ON COLUMN "navigation_typed"."source_file" IS 'The name of the source that contains the record.';
COMMENT ON COLUMN "navigation_typed"."record_number" IS 'The record''s number among all records of its source, from 0.';
COMMENT ON COLUMN "navigation_typed"."rescued" IS 'The record''s values that have no column, as a JSON object from path to value; null if every value has one.';
COMMENT ON COLUMN "navigation_typed"."date" IS 'The UTC day of the record''s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.';
