CREATE EXTERNAL TABLE IF NOT EXISTS `navigation` (
  `visitid` string COMMENT 'Unique visitor session identifier.',
  `visitorid` string COMMENT 'Unique visitor identifier of the visitor.',
  `contextid` string COMMENT 'Context ID.',
  `navigationdata` array<struct<
    `timestamp`:timestamp,
    `url`:string,
    `referrerurl`:string,
    `sections`:array<string>>> COMMENT 'The pages that the visitor navigated.',
  `metadata` struct<
    `accountid`:string,
    `schemaversion`:string,
    `starttime`:timestamp,
    `endtime`:timestamp> COMMENT 'The metaData of the record\'s container.',
  `source_file` string COMMENT 'Name of the file that the record came from.',
  `record_number` bigint COMMENT 'Ordinal of the record, from 0, among all records found in the file.',
  `rescued` string COMMENT 'JSON object from path to value of all that found no column; null if there is none.'
)
COMMENT 'Information about the navigated pages by the visitor on the brand’s website.'
PARTITIONED BY (`date` date COMMENT 'UTC day of the record\'s earliest own timestamp; null if it has none. Only in the path.')
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/record_type=navigation/'
TBLPROPERTIES (
  'classification' = 'parquet',
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2000-01-01,2099-12-31',
  'projection.date.interval' = '1',
  'projection.date.interval.unit' = 'DAYS'
);
