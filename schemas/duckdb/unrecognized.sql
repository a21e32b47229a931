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

COMMENT ON TABLE "unrecognized_typed" IS 'Records of a type that no table is known for; the raw record is kept whole.';
COMMENT ON COLUMN "unrecognized_typed"."visitId" IS 'Unique visitor session identifier.';
COMMENT ON COLUMN "unrecognized_typed"."visitorId" IS 'Unique visitor identifier of the visitor.';
COMMENT ON COLUMN "unrecognized_typed"."contextId" IS 'Context ID.';
COMMENT ON COLUMN "unrecognized_typed"."tag" IS 'The body''s tag as the source wrote it.';
COMMENT ON COLUMN "unrecognized_typed"."record" IS 'The raw JSON text of the record.';
COMMENT ON COLUMN "unrecognized_typed"."metaData" IS 'The metaData of the record''s container.';
COMMENT ON COLUMN "unrecognized_typed"."source_file" IS 'Name of the file that the record came from.';
COMMENT ON COLUMN "unrecognized_typed"."record_number" IS 'Ordinal of the record, from 0, among all records found in the file.';
COMMENT ON COLUMN "unrecognized_typed"."rescued" IS 'JSON object from path to value of all that found no column; null if there is none.';
COMMENT ON COLUMN "unrecognized_typed"."date" IS 'UTC day of the record''s earliest own timestamp; null if it has none. Only in the path.';
