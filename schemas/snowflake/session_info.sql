CREATE OR REPLACE EXTERNAL TABLE "session_info" (
  "visitId" VARCHAR AS (VALUE:"visitId"::VARCHAR) COMMENT 'Unique visitor session identifier.',
  "visitorId" VARCHAR AS (VALUE:"visitorId"::VARCHAR) COMMENT 'Unique visitor identifier of the visitor.',
  "contextId" VARCHAR AS (VALUE:"contextId"::VARCHAR) COMMENT 'Context ID.',
  "sessionStartTime" TIMESTAMP_TZ AS (VALUE:"sessionStartTime"::TIMESTAMP_TZ) COMMENT 'Visitor session’s start time.',
  "userAgent" VARCHAR AS (VALUE:"userAgent"::VARCHAR) COMMENT 'User agent.',
  "deviceOS" VARCHAR AS (VALUE:"deviceOS"::VARCHAR) COMMENT 'Device OS type. Documented values: NA, WINDOWS, MAC_OS, LINUX, IOS, ANDROID.',
  "deviceFamily" VARCHAR AS (VALUE:"deviceFamily"::VARCHAR) COMMENT 'Device type. Documented values: NA, DESKTOP, TABLET, MOBILE.',
  "siteControlGroup" VARCHAR AS (VALUE:"siteControlGroup"::VARCHAR) COMMENT 'Site control group. Documented values: NA, CONTROL, TEST.',
  "searchEngine" VARCHAR AS (VALUE:"searchEngine"::VARCHAR) COMMENT 'Search engine. Exist only if the visitor started a session after searching a known search engine. It is extracted from the referrer URL.',
  "searchEngineKey" VARCHAR AS (VALUE:"searchEngineKey"::VARCHAR) COMMENT 'Keywords used to search through the search engine prior to the session starting point. It is taken from the referrer URL.',
  "metaData" VARIANT AS (VALUE:"metaData"::VARIANT) COMMENT 'The metaData of the record''s container.',
  "source_file" VARCHAR AS (VALUE:"source_file"::VARCHAR) COMMENT 'The name of the source that contains the record.',
  "record_number" INTEGER AS (VALUE:"record_number"::INTEGER) COMMENT 'The record''s number among all records of its source, from 0.',
  "rescued" VARCHAR AS (VALUE:"rescued"::VARCHAR) COMMENT 'The record''s values that have no column, as a JSON object from path to value; null if every value has one.',
  "date" DATE AS (TRY_TO_DATE(REGEXP_SUBSTR(METADATA$FILENAME, 'date=([^/]+)/', 1, 1, 'e')))
)
PARTITION BY ("date")
LOCATION = @STAGE/record_type=session_info/
FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)
COMMENT = 'Information about the visitor’s browsing session.';
