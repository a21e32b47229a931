CREATE VIEW "goal_achieved" AS
SELECT * EXCLUDE (record_type)
FROM read_parquet('ROOT/record_type=goal_achieved/**/*.parquet', hive_partitioning = true, hive_types_autocast = false, hive_types = {'date': DATE});

CREATE TABLE "goal_achieved_typed" (
  "visitId" VARCHAR,
  "visitorId" VARCHAR,
  "contextId" VARCHAR,
  "achievedGoals" STRUCT(
    "id" VARCHAR,
    "timestamp" TIMESTAMP WITH TIME ZONE,
    "campaignGoalId" BIGINT,
    "campaignGoalRevision" BIGINT,
    "campaignGoalType" INTEGER,
    "goalMetaData" STRUCT(
      "type" VARCHAR,
      "urlGoalMetadata" STRUCT(
        "url" VARCHAR
      ),
      "purchaseMetadata" STRUCT(
        "total" DOUBLE,
        "orderId" VARCHAR,
        "cartStatus" STRUCT(
          "total" DOUBLE,
          "numItems" INTEGER,
          "products" STRUCT(
            "quantity" INTEGER,
            "product" STRUCT(
              "name" VARCHAR,
              "category" VARCHAR,
              "sku" VARCHAR,
              "price" DOUBLE
            )
          )[]
        )
      ),
      "reduceAbandonmentGoalMetadata" STRUCT(
        "numberOfPages" INTEGER
      ),
      "increaseInteractionGoalMetadata" STRUCT(
        "engagement" STRUCT(
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
        ),
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
        )
      ),
      "leadMetadata" STRUCT(
        "topic" VARCHAR,
        "leadId" VARCHAR,
        "value" DOUBLE
      ),
      "serviceActivityMetadata" STRUCT(
        "topic" VARCHAR,
        "status" INTEGER,
        "category" VARCHAR,
        "serviceId" VARCHAR
      )
    )
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

COMMENT ON TABLE "goal_achieved_typed" IS 'Information about the goals that were achieved during the visitor session.';
COMMENT ON COLUMN "goal_achieved_typed"."visitId" IS 'Unique visitor session identifier.';
COMMENT ON COLUMN "goal_achieved_typed"."visitorId" IS 'Unique visitor identifier of the visitor.';
COMMENT ON COLUMN "goal_achieved_typed"."contextId" IS 'Context ID.';
COMMENT ON COLUMN "goal_achieved_typed"."achievedGoals" IS 'The goals that were achieved.';
COMMENT ON COLUMN "goal_achieved_typed"."metaData" IS 'The metaData of the record''s container.';
COMMENT ON COLUMN "goal_achieved_typed"."source_file" IS 'The name of the source that contains the record.';
COMMENT ON COLUMN "goal_achieved_typed"."record_number" IS 'The record''s number among all records of its source, from 0.';
COMMENT ON COLUMN "goal_achieved_typed"."rescued" IS 'The record''s values that have no column, as a JSON object from path to value; null if every value has one.';
COMMENT ON COLUMN "goal_achieved_typed"."date" IS 'The UTC day of the record''s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.';
