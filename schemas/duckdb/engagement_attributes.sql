CREATE VIEW "engagement_attributes" AS
SELECT * EXCLUDE (record_type)
FROM read_parquet('ROOT/record_type=engagement_attributes/**/*.parquet', hive_partitioning = true, hive_types_autocast = false, hive_types = {'date': DATE});

CREATE TABLE "engagement_attributes_typed" (
  "visitId" VARCHAR,
  "visitorId" VARCHAR,
  "contextId" VARCHAR,
  "engagementAttributes" STRUCT(
    "timestamp" TIMESTAMP WITH TIME ZONE,
    "data" STRUCT(
      "type" VARCHAR,
      "purchase" STRUCT(
        "total" DOUBLE,
        "orderId" VARCHAR,
        "cart" STRUCT(
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
      "cart" STRUCT(
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
      ),
      "lead" STRUCT(
        "topic" VARCHAR,
        "leadId" VARCHAR,
        "value" DOUBLE
      ),
      "customerInfo" STRUCT(
        "isAuthenticated" BOOLEAN,
        "authenticatedConversationId" VARCHAR,
        "customerStatus" VARCHAR,
        "customerType" VARCHAR,
        "balance" DOUBLE,
        "customerId" VARCHAR,
        "socialId" VARCHAR,
        "imei" VARCHAR,
        "userName" VARCHAR,
        "companySize" INTEGER,
        "accountName" VARCHAR,
        "role" VARCHAR,
        "lastPaymentDate" STRUCT(
          "year" INTEGER,
          "month" INTEGER,
          "day" INTEGER
        ),
        "registrationDate" STRUCT(
          "year" INTEGER,
          "month" INTEGER,
          "day" INTEGER
        ),
        "storeNumber" VARCHAR,
        "storeZipCode" VARCHAR
      ),
      "personalInfo" STRUCT(
        "isAuthenticated" BOOLEAN,
        "authenticatedConversationId" VARCHAR,
        "name" VARCHAR,
        "surname" VARCHAR,
        "gender" VARCHAR,
        "company" VARCHAR,
        "customerAge" STRUCT(
          "customerAgeInYears" INTEGER,
          "customerYearOfBirth" INTEGER,
          "customerMonthOfBirth" INTEGER,
          "customerDateOfBirth" INTEGER
        ),
        "contacts" STRUCT(
          "email" VARCHAR,
          "phone" VARCHAR
        )[]
      ),
      "viewedProduct" STRUCT(
        "products" STRUCT(
          "quantity" INTEGER,
          "product" STRUCT(
            "name" VARCHAR,
            "category" VARCHAR,
            "sku" VARCHAR,
            "price" DOUBLE
          )
        )[]
      ),
      "serviceActivity" STRUCT(
        "topic" VARCHAR,
        "status" INTEGER,
        "category" VARCHAR,
        "serviceId" VARCHAR
      ),
      "visitorError" STRUCT(
        "contextId" VARCHAR,
        "message" VARCHAR,
        "code" BIGINT,
        "level" BIGINT,
        "resolved" BOOLEAN
      ),
      "marketingCampaignInfo" STRUCT(
        "originatingChannel" INTEGER,
        "affiliate" VARCHAR,
        "campaignId" VARCHAR
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

COMMENT ON TABLE "engagement_attributes_typed" IS 'Standardized attributes that give more specific information about visitors.';
COMMENT ON COLUMN "engagement_attributes_typed"."visitId" IS 'Unique visitor session identifier.';
COMMENT ON COLUMN "engagement_attributes_typed"."visitorId" IS 'Unique visitor identifier of the visitor.';
COMMENT ON COLUMN "engagement_attributes_typed"."contextId" IS 'Context ID.';
COMMENT ON COLUMN "engagement_attributes_typed"."engagementAttributes" IS 'The engagement attributes.';
COMMENT ON COLUMN "engagement_attributes_typed"."metaData" IS 'The metaData of the record''s container.';
COMMENT ON COLUMN "engagement_attributes_typed"."source_file" IS 'The name of the source that contains the record.';
COMMENT ON COLUMN "engagement_attributes_typed"."record_number" IS 'The record''s number among all records of its source, from 0.';
COMMENT ON COLUMN "engagement_attributes_typed"."rescued" IS 'The record''s values that have no column, as a JSON object from path to value; null if every value has one.';
COMMENT ON COLUMN "engagement_attributes_typed"."date" IS 'The UTC day of the record''s earliest timestamp; if it has none, the day of its container, or else of its source. Null if no day is known.';
