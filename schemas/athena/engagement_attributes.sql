CREATE EXTERNAL TABLE IF NOT EXISTS `engagement_attributes` (
  `visitid` string COMMENT 'Unique visitor session identifier.',
  `visitorid` string COMMENT 'Unique visitor identifier of the visitor.',
  `contextid` string COMMENT 'Context ID.',
  `engagementattributes` array<struct<
    `timestamp`:timestamp,
    `data`:struct<
      `type`:string,
      `purchase`:struct<
        `total`:double,
        `orderid`:string,
        `cart`:struct<
          `total`:double,
          `numitems`:int,
          `products`:array<struct<
            `quantity`:int,
            `product`:struct<
              `name`:string,
              `category`:string,
              `sku`:string,
              `price`:double>>>>>,
      `cart`:struct<
        `total`:double,
        `numitems`:int,
        `products`:array<struct<
          `quantity`:int,
          `product`:struct<
            `name`:string,
            `category`:string,
            `sku`:string,
            `price`:double>>>>,
      `lead`:struct<
        `topic`:string,
        `leadid`:string,
        `value`:double>,
      `customerinfo`:struct<
        `isauthenticated`:boolean,
        `authenticatedconversationid`:string,
        `customerstatus`:string,
        `customertype`:string,
        `balance`:double,
        `customerid`:string,
        `socialid`:string,
        `imei`:string,
        `username`:string,
        `companysize`:int,
        `accountname`:string,
        `role`:string,
        `lastpaymentdate`:struct<
          `year`:int,
          `month`:int,
          `day`:int>,
        `registrationdate`:struct<
          `year`:int,
          `month`:int,
          `day`:int>,
        `storenumber`:string,
        `storezipcode`:string>,
      `personalinfo`:struct<
        `isauthenticated`:boolean,
        `authenticatedconversationid`:string,
        `name`:string,
        `surname`:string,
        `gender`:string,
        `company`:string,
        `customerage`:struct<
          `customerageinyears`:int,
          `customeryearofbirth`:int,
          `customermonthofbirth`:int,
          `customerdateofbirth`:int>,
        `contacts`:array<struct<
          `email`:string,
          `phone`:string>>>,
      `viewedproduct`:struct<
        `products`:array<struct<
          `quantity`:int,
          `product`:struct<
            `name`:string,
            `category`:string,
            `sku`:string,
            `price`:double>>>>,
      `serviceactivity`:struct<
        `topic`:string,
        `status`:int,
        `category`:string,
        `serviceid`:string>,
      `visitorerror`:struct<
        `contextid`:string,
        `message`:string,
        `code`:bigint,
        `level`:bigint,
        `resolved`:boolean>,
      `marketingcampaigninfo`:struct<
        `originatingchannel`:int,
        `affiliate`:string,
        `campaignid`:string>>>> COMMENT 'The engagement attributes.',
  `metadata` struct<
    `accountid`:string,
    `schemaversion`:string,
    `starttime`:timestamp,
    `endtime`:timestamp> COMMENT 'The metaData of the record\'s container.',
  `source_file` string COMMENT 'The name of the source that contains the record.',
  `record_number` bigint COMMENT 'The record\'s number among all records of its source, from 0.',
  `rescued` string COMMENT 'The record\'s values that have no column, as a JSON object from path to value; null if every value has one.'
)
COMMENT 'Standardized attributes that give more specific information about visitors.'
PARTITIONED BY (`date` date COMMENT 'The UTC day of the record\'s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.')
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/record_type=engagement_attributes/'
TBLPROPERTIES (
  'classification' = 'parquet',
  'projection.enabled' = 'true',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2000-01-01,2099-12-31',
  'projection.date.interval' = '1',
  'projection.date.interval.unit' = 'DAYS'
);
