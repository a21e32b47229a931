CREATE VIEW "eligibility" AS
SELECT * EXCLUDE (record_type)
FROM read_parquet('ROOT/record_type=eligibility/**/*.parquet', hive_partitioning = true, hive_types_autocast = false, hive_types = {'date': DATE});

CREATE TABLE "eligibility_typed" (
  "visitId" VARCHAR,
  "visitorId" VARCHAR,
  "contextId" VARCHAR,
  "eligibilityData" STRUCT(
    "eligibleCampaigns" STRUCT(
      "campaign" STRUCT(
        "id" BIGINT,
        "visitorProfiles" STRUCT(
          "id" BIGINT,
          "revision" BIGINT
        )[],
        "channel" VARCHAR,
        "type" VARCHAR,
        "visitorBehaviors" STRUCT(
          "id" BIGINT,
          "revision" BIGINT
        )[],
        "skillId" INTEGER,
        "skillName" VARCHAR,
        "surveySkills" STRUCT(
          "id" BIGINT,
          "name" VARCHAR
        )[],
        "isOffsiteEngagement" BOOLEAN,
        "availabilityPolicy" VARCHAR,
        "interactionType" INTEGER,
        "renderingType" INTEGER
      ),
      "engagements" STRUCT(
        "id" BIGINT,
        "channel" VARCHAR,
        "type" VARCHAR,
        "visitorBehaviors" STRUCT(
          "id" BIGINT,
          "revision" BIGINT
        )[],
        "skillId" INTEGER,
        "skillName" VARCHAR,
        "surveySkills" STRUCT(
          "id" BIGINT,
          "name" VARCHAR
        )[],
        "isOffsiteEngagement" BOOLEAN,
        "availabilityPolicy" VARCHAR,
        "interactionType" INTEGER,
        "renderingType" INTEGER
      )[],
      "goal" STRUCT(
        "id" BIGINT,
        "type" INTEGER,
        "indicatorType" INTEGER
      ),
      "controlGroupType" VARCHAR
    )[],
    "timestamp" TIMESTAMP WITH TIME ZONE
  )[],
  "metaData" STRUCT(
    "accountId" VARCHAR,
    "schemaVersion" VARCHAR,
    "startTime" TIMESTAMP WITH TIME ZONE,
    "endTime" TIMESTAMP WITH TIME ZONE
  ),
  "source_file" VARCHAR,
  "record_number" BIGINT,
  "rescued" VARCHAR,
  "date" DATE
);

COMMENT ON TABLE "eligibility_typed" IS 'Information about the campaigns that are eligible for the visitor during his session.';
COMMENT ON COLUMN "eligibility_typed"."visitId" IS 'Unique visitor session identifier.';
COMMENT ON COLUMN "eligibility_typed"."visitorId" IS 'Unique visitor identifier of the visitor.';
COMMENT ON COLUMN "eligibility_typed"."contextId" IS 'Context ID.';
COMMENT ON COLUMN "eligibility_typed"."eligibilityData" IS 'The assessments of eligible campaigns.';
COMMENT ON COLUMN "eligibility_typed"."metaData" IS 'The metaData of the record''s container.';
COMMENT ON COLUMN "eligibility_typed"."source_file" IS 'The name of the source that contains the record.';
COMMENT ON COLUMN "eligibility_typed"."record_number" IS 'The record''s number among all records of its source, from 0.';
COMMENT ON COLUMN "eligibility_typed"."rescued" IS 'The record''s values that have no column, as a JSON object from path to value; null if every value has one.';
COMMENT ON COLUMN "eligibility_typed"."date" IS 'The UTC day of the record''s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.';
