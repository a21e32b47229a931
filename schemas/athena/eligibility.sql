CREATE EXTERNAL TABLE IF NOT EXISTS `eligibility` (
  `visitid` string COMMENT 'Unique visitor session identifier.',
  `visitorid` string COMMENT 'Unique visitor identifier of the visitor.',
  `contextid` string COMMENT 'Context ID.',
  `eligibilitydata` array<struct<
    `eligiblecampaigns`:array<struct<
      `campaign`:struct<
        `id`:bigint,
        `visitorprofiles`:array<struct<
          `id`:bigint,
          `revision`:bigint>>,
        `channel`:string,
        `type`:string,
        `visitorbehaviors`:array<struct<
          `id`:bigint,
          `revision`:bigint>>,
        `skillid`:int,
        `skillname`:string,
        `surveyskills`:array<struct<
          `id`:bigint,
          `name`:string>>,
        `isoffsiteengagement`:boolean,
        `availabilitypolicy`:string,
        `interactiontype`:int,
        `renderingtype`:int>,
      `engagements`:array<struct<
        `id`:bigint,
        `channel`:string,
        `type`:string,
        `visitorbehaviors`:array<struct<
          `id`:bigint,
          `revision`:bigint>>,
        `skillid`:int,
        `skillname`:string,
        `surveyskills`:array<struct<
          `id`:bigint,
          `name`:string>>,
        `isoffsiteengagement`:boolean,
        `availabilitypolicy`:string,
        `interactiontype`:int,
        `renderingtype`:int>>,
      `goal`:struct<
        `id`:bigint,
        `type`:int,
        `indicatortype`:int>,
      `controlgrouptype`:string>>,
    `timestamp`:timestamp>> COMMENT 'The assessments of eligible campaigns.',
  `metadata` struct<
    `accountid`:string,
    `schemaversion`:string,
    `starttime`:timestamp,
    `endtime`:timestamp> COMMENT 'The metaData of the record\'s container.',
  `source_file` string COMMENT 'Name of the file that the record came from.',
  `record_number` bigint COMMENT 'Ordinal of the record, from 0, among all records found in the file.',
  `rescued` string COMMENT 'JSON object from path to value of all that found no column; null if there is none.'
)
COMMENT 'Information about the campaigns that are eligible for the visitor during his session.'
PARTITIONED BY (`date` date COMMENT 'UTC day of the record\'s earliest own timestamp; null if it has none. Only in the path.')
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/record_type=eligibility/'
TBLPROPERTIES (
  'classification' = 'parquet',
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2000-01-01,2099-12-31',
  'projection.date.interval' = '1',
  'projection.date.interval.unit' = 'DAYS'
);
