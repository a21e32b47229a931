CREATE EXTERNAL TABLE IF NOT EXISTS `session_info` (
  `visitid` string COMMENT 'Unique visitor session identifier.',
  `visitorid` string COMMENT 'Unique visitor identifier of the visitor.',
  `contextid` string COMMENT 'Context ID.',
  `sessionstarttime` timestamp COMMENT 'Visitor session’s start time.',
  `useragent` string COMMENT 'User agent.',
  `deviceos` string COMMENT 'Device OS type. Documented values: NA, WINDOWS, MAC_OS, LINUX, IOS, ANDROID.',
  `devicefamily` string COMMENT 'Device type. Documented values: NA, DESKTOP, TABLET, MOBILE.',
  `sitecontrolgroup` string COMMENT 'Site control group. Documented values: NA, CONTROL, TEST.',
  `searchengine` string COMMENT 'Search engine. Exist only if the visitor started a session after searching a known search engine. It is extracted from the referrer URL.',
  `searchenginekey` string COMMENT 'Keywords used to search through the search engine prior to the session starting point. It is taken from the referrer URL.',
  `metadata` struct<
    `accountid`:string,
    `schemaversion`:string,
    `starttime`:timestamp,
    `endtime`:timestamp> COMMENT 'The metaData of the record\'s container.',
  `source_file` string COMMENT 'The name of the source that contains the record.',
  `record_number` bigint COMMENT 'The record\'s number among all records of its source, from 0.',
  `rescued` string COMMENT 'The record\'s values that have no column, as a JSON object from path to value; null if every value has one.'
)
COMMENT 'Information about the visitor’s browsing session.'
PARTITIONED BY (`date` date COMMENT 'The UTC day of the record\'s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.')
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/record_type=session_info/'
TBLPROPERTIES (
  'classification' = 'parquet',
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2000-01-01,2099-12-31',
  'projection.date.interval' = '1',
  'projection.date.interval.unit' = 'DAYS'
);
