CREATE OR REPLACE EXTERNAL TABLE "engagement_attributes" (
  "visitId" VARCHAR AS (VALUE:"visitId"::VARCHAR) COMMENT 'Unique visitor session identifier.',
  "visitorId" VARCHAR AS (VALUE:"visitorId"::VARCHAR) COMMENT 'Unique visitor identifier of the visitor.',
  "contextId" VARCHAR AS (VALUE:"contextId"::VARCHAR) COMMENT 'Context ID.',
  "engagementAttributes" VARIANT AS (VALUE:"engagementAttributes"::VARIANT) COMMENT 'The engagement attributes.',
  "metaData" VARIANT AS (VALUE:"metaData"::VARIANT) COMMENT 'The metaData of the record''s container.',
  "source_file" VARCHAR AS (VALUE:"source_file"::VARCHAR) COMMENT 'The name of the source that contains the record.',
  "record_number" INTEGER AS (VALUE:"record_number"::INTEGER) COMMENT 'The record''s number among all records of its source, from 0.',
  "rescued" VARCHAR AS (VALUE:"rescued"::VARCHAR) COMMENT 'The record''s values that have no column, as a JSON object from path to value; null if every value has one.',
  "date" DATE AS (TRY_TO_DATE(REGEXP_SUBSTR(METADATA$FILENAME, 'date=([^/]+)/', 1, 1, 'e')))
)
PARTITION BY ("date")
LOCATION = @STAGE/record_type=engagement_attributes/
FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)
COMMENT = 'Standardized attributes that give more specific information about visitors.';
