CREATE EXTERNAL TABLE IF NOT EXISTS `geo` (
  `visitid` string COMMENT 'Unique visitor session identifier.',
  `visitorid` string COMMENT 'Unique visitor identifier of the visitor.',
  `contextid` string COMMENT 'Context ID.',
  `ipv4` string COMMENT 'IP V4 address.',
  `ipv6` string COMMENT 'IP V6 address.',
  `country` string COMMENT 'Country name.',
  `city` string COMMENT 'City name.',
  `state` string COMMENT 'State name.',
  `org` string COMMENT 'Organization name.',
  `isp` string COMMENT 'Internet service provider.',
  `countrycode` string COMMENT 'Country code.',
  `metadata` struct<
    `accountid`:string,
    `schemaversion`:string,
    `starttime`:timestamp,
    `endtime`:timestamp> COMMENT 'The metaData of the record\'s container.',
  `source_file` string COMMENT 'Name of the file that the record came from.',
  `record_number` bigint COMMENT 'Ordinal of the record, from 0, among all records found in the file.',
  `rescued` string COMMENT 'JSON object from path to value of all that found no column; null if there is none.'
)
COMMENT 'Information about visitor geolocation.'
PARTITIONED BY (`date` date COMMENT 'UTC day of the record\'s earliest own timestamp; null if it has none. Only in the path.')
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/record_type=geo/'
TBLPROPERTIES (
  'classification' = 'parquet',
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2000-01-01,2099-12-31',
  'projection.date.interval' = '1',
  'projection.date.interval.unit' = 'DAYS'
);
