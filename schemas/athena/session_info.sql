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
  `source_file` string COMMENT 'Name of the file that the record came from.',
  `record_number` bigint COMMENT 'Ordinal of the record, from 0, among all records found in the file.',
  `rescued` string COMMENT 'JSON object from path to value of all that found no column; null if there is none.'
)
COMMENT 'Information about the visitor’s browsing session.'
PARTITIONED BY (`date` date COMMENT 'UTC day of the record\'s earliest own timestamp; null if it has none. Only in the path.')
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
