CREATE VIEW "unrecognized" AS
SELECT * EXCLUDE (record_type)
FROM read_parquet('ROOT/record_type=unrecognized/**/*.parquet', hive_partitioning = true, hive_types_autocast = false, hive_types = {'date': DATE});

CREATE TABLE "unrecognized_typed" (
  "visitId" VARCHAR,
  "visitorId" VARCHAR,
  "contextId" VARCHAR,
  "tag" VARCHAR,
  "record" VARCHAR,
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

COMMENT ON TABLE "unrecognized_typed" IS 'Records that belong to no other table; each is kept as complete JSON text.';
COMMENT ON COLUMN "unrecognized_typed"."visitId" IS 'Unique visitor session identifier.';
COMMENT ON COLUMN "unrecognized_typed"."visitorId" IS 'Unique visitor identifier of the visitor.';
COMMENT ON COLUMN "unrecognized_typed"."contextId" IS 'Context ID.';
COMMENT ON COLUMN "unrecognized_typed"."tag" IS 'The tag of the body, as the source wrote it.';
COMMENT ON COLUMN "unrecognized_typed"."record" IS 'The complete JSON text of the record.';
COMMENT ON COLUMN "unrecognized_typed"."metaData" IS 'The metaData of the record''s container.';
COMMENT ON COLUMN "unrecognized_typed"."source_file" IS 'The name of the source that contains the record.';
COMMENT ON COLUMN "unrecognized_typed"."record_number" IS 'The record''s number among all records of its source, from 0.';
COMMENT ON COLUMN "unrecognized_typed"."rescued" IS 'The record''s values that have no column, as a JSON object from path to value; null if every value has one.';
COMMENT ON COLUMN "unrecognized_typed"."date" IS 'The UTC day of the record''s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.';
