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
  `source_file` string COMMENT 'The name of the source that contains the record.',
  `record_number` bigint COMMENT 'The record\'s number among all records of its source, from 0.',
  `rescued` string COMMENT 'The record\'s values that have no column, as a JSON object from path to value; null if every value has one.'
)
COMMENT 'Information about visitor geolocation.'
PARTITIONED BY (`date` date COMMENT 'The UTC day of the record\'s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.')
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
