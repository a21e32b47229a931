CREATE EXTERNAL TABLE IF NOT EXISTS `unrecognized` (
  `visitid` string COMMENT 'Unique visitor session identifier.',
  `visitorid` string COMMENT 'Unique visitor identifier of the visitor.',
  `contextid` string COMMENT 'Context ID.',
  `tag` string COMMENT 'The tag of the body, as the source wrote it.',
  `record` string COMMENT 'The complete JSON text of the record.',
  `metadata` struct<
    `accountid`:string,
    `schemaversion`:string,
    `starttime`:timestamp,
    `endtime`:timestamp> COMMENT 'The metaData of the record\'s container.',
  `source_file` string COMMENT 'The name of the source that contains the record.',
  `record_number` bigint COMMENT 'The record\'s number among all records of its source, from 0.',
  `rescued` string COMMENT 'The record\'s values that have no column, as a JSON object from path to value; null if every value has one.'
)
COMMENT 'Records that belong to no other table; each is kept as complete JSON text.'
PARTITIONED BY (`date` date COMMENT 'The UTC day of the record\'s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.')
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/record_type=unrecognized/'
TBLPROPERTIES (
  'classification' = 'parquet',
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2000-01-01,2099-12-31',
  'projection.date.interval' = '1',
  'projection.date.interval.unit' = 'DAYS'
);
