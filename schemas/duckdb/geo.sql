CREATE VIEW "geo" AS
SELECT * EXCLUDE (record_type)
FROM read_parquet('ROOT/record_type=geo/**/*.parquet', hive_partitioning = true, hive_types_autocast = false, hive_types = {'date': DATE});

CREATE TABLE "geo_typed" (
  "visitId" VARCHAR,
  "visitorId" VARCHAR,
  "contextId" VARCHAR,
  "iPV4" VARCHAR,
  "iPV6" VARCHAR,
  "country" VARCHAR,
  "city" VARCHAR,
  "state" VARCHAR,
  "org" VARCHAR,
  "isp" VARCHAR,
  "countryCode" VARCHAR,
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

COMMENT ON TABLE "geo_typed" IS 'Information about visitor geolocation.';
COMMENT ON COLUMN "geo_typed"."visitId" IS 'Unique visitor session identifier.';
COMMENT ON COLUMN "geo_typed"."visitorId" IS 'Unique visitor identifier of the visitor.';
COMMENT ON COLUMN "geo_typed"."contextId" IS 'Context ID.';
COMMENT ON COLUMN "geo_typed"."iPV4" IS 'IP V4 address.';
COMMENT ON COLUMN "geo_typed"."iPV6" IS 'IP V6 address.';
COMMENT ON COLUMN "geo_typed"."country" IS 'Country name.';
COMMENT ON COLUMN "geo_typed"."city" IS 'City name.';
COMMENT ON COLUMN "geo_typed"."state" IS 'State name.';
COMMENT ON COLUMN "geo_typed"."org" IS 'Organization name.';
COMMENT ON COLUMN "geo_typed"."isp" IS 'Internet service provider.';
COMMENT ON COLUMN "geo_typed"."countryCode" IS 'Country code.';
COMMENT ON COLUMN "geo_typed"."metaData" IS 'The metaData of the record''s container.';
COMMENT ON COLUMN "geo_typed"."source_file" IS 'The name of the source that contains the record.';
COMMENT ON COLUMN "geo_typed"."record_number" IS 'The record''s number among all records of its source, from 0.';
COMMENT ON COLUMN "geo_typed"."rescued" IS 'The record''s values that have no column, as a JSON object from path to value; null if every value has one.';
COMMENT ON COLUMN "geo_typed"."date" IS 'The UTC day of the record''s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.';
