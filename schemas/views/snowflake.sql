CREATE OR REPLACE VIEW "page_views" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "page".VALUE:"timestamp"::TIMESTAMP_TZ AS "viewed_at", "page".VALUE:"url"::VARCHAR AS "url", "page".VALUE:"referrerUrl"::VARCHAR AS "referrer_url", "page".VALUE:"sections"::ARRAY AS "sections"
FROM "navigation" AS r,
LATERAL FLATTEN(INPUT => r."navigationData") AS "page";

CREATE OR REPLACE VIEW "impressions" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "event".VALUE:"timestamp"::TIMESTAMP_TZ AS "occurred_at", "event".VALUE:"impressionType"::VARCHAR AS "impression_type", "event".VALUE:"state"::VARCHAR AS "state", "event".VALUE:"controlGroup"::VARCHAR AS "control_group", "event".VALUE:"engagementInstanceId"::VARCHAR AS "engagement_instance_id", "event".VALUE:"engagement"."id"::INTEGER AS "engagement_id", "event".VALUE:"engagement"."channel"::VARCHAR AS "engagement_channel", "event".VALUE:"engagement"."type"::VARCHAR AS "engagement_type", "event".VALUE:"engagement"."skillId"::INTEGER AS "skill_id", "event".VALUE:"engagement"."skillName"::VARCHAR AS "skill_name", "event".VALUE:"campaign"."id"::INTEGER AS "campaign_id", "event".VALUE:"goal"."id"::INTEGER AS "goal_id", "event".VALUE:"goal"."type"::INTEGER AS "goal_type"
FROM "impression" AS r,
LATERAL FLATTEN(INPUT => r."impressions") AS "event";

CREATE OR REPLACE VIEW "eligible_campaigns" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "assessment".VALUE:"timestamp"::TIMESTAMP_TZ AS "assessed_at", "eligible".VALUE:"campaign"."id"::INTEGER AS "campaign_id", "eligible".VALUE:"controlGroupType"::VARCHAR AS "control_group_type", "eligible".VALUE:"goal"."id"::INTEGER AS "goal_id", "eligible".VALUE:"goal"."type"::INTEGER AS "goal_type"
FROM "eligibility" AS r,
LATERAL FLATTEN(INPUT => r."eligibilityData") AS "assessment",
LATERAL FLATTEN(INPUT => "assessment".VALUE:"eligibleCampaigns") AS "eligible";

CREATE OR REPLACE VIEW "goals" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "goal".VALUE:"id"::VARCHAR AS "achievement_id", "goal".VALUE:"timestamp"::TIMESTAMP_TZ AS "achieved_at", "goal".VALUE:"campaignGoalId"::INTEGER AS "goal_id", "goal".VALUE:"campaignGoalRevision"::INTEGER AS "goal_revision", "goal".VALUE:"campaignGoalType"::INTEGER AS "goal_type", "goal".VALUE:"goalMetaData"."type"::VARCHAR AS "goal_kind", "goal".VALUE:"goalMetaData"."urlGoalMetadata"."url"::VARCHAR AS "url", "goal".VALUE:"goalMetaData"."purchaseMetadata"."orderId"::VARCHAR AS "order_id", "goal".VALUE:"goalMetaData"."purchaseMetadata"."total"::DOUBLE AS "order_total", "goal".VALUE:"goalMetaData"."reduceAbandonmentGoalMetadata"."numberOfPages"::INTEGER AS "pages_viewed", "goal".VALUE:"goalMetaData"."increaseInteractionGoalMetadata"."engagement"."id"::INTEGER AS "engagement_id", "goal".VALUE:"goalMetaData"."increaseInteractionGoalMetadata"."campaign"."id"::INTEGER AS "campaign_id", "goal".VALUE:"goalMetaData"."leadMetadata"."leadId"::VARCHAR AS "lead_id", "goal".VALUE:"goalMetaData"."leadMetadata"."value"::DOUBLE AS "lead_value", "goal".VALUE:"goalMetaData"."serviceActivityMetadata"."serviceId"::VARCHAR AS "service_id"
FROM "goal_achieved" AS r,
LATERAL FLATTEN(INPUT => r."achievedGoals") AS "goal";

CREATE OR REPLACE VIEW "purchases" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", "attribute".VALUE:"data"."purchase"."orderId"::VARCHAR AS "order_id", "attribute".VALUE:"data"."purchase"."total"::DOUBLE AS "total", "attribute".VALUE:"data"."purchase"."cart"."total"::DOUBLE AS "cart_total", "attribute".VALUE:"data"."purchase"."cart"."numItems"::INTEGER AS "num_items"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute"
WHERE "attribute".VALUE:"data"."purchase"::OBJECT IS NOT NULL;

CREATE OR REPLACE VIEW "carts" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", "attribute".VALUE:"data"."cart"."total"::DOUBLE AS "total", "attribute".VALUE:"data"."cart"."numItems"::INTEGER AS "num_items"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute"
WHERE "attribute".VALUE:"data"."cart"::OBJECT IS NOT NULL;

CREATE OR REPLACE VIEW "products" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", 'purchase' AS "listed_in", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", "attribute".VALUE:"data"."purchase"."orderId"::VARCHAR AS "order_id", "attribute".VALUE:"data"."purchase"."total"::DOUBLE AS "list_total", "line".VALUE:"quantity"::INTEGER AS "quantity", "line".VALUE:"product"."name"::VARCHAR AS "name", "line".VALUE:"product"."category"::VARCHAR AS "category", "line".VALUE:"product"."sku"::VARCHAR AS "sku", "line".VALUE:"product"."price"::DOUBLE AS "price"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute",
LATERAL FLATTEN(INPUT => "attribute".VALUE:"data"."purchase"."cart"."products") AS "line"
UNION ALL
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", 'cart' AS "listed_in", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", CAST(NULL AS VARCHAR) AS "order_id", "attribute".VALUE:"data"."cart"."total"::DOUBLE AS "list_total", "line".VALUE:"quantity"::INTEGER AS "quantity", "line".VALUE:"product"."name"::VARCHAR AS "name", "line".VALUE:"product"."category"::VARCHAR AS "category", "line".VALUE:"product"."sku"::VARCHAR AS "sku", "line".VALUE:"product"."price"::DOUBLE AS "price"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute",
LATERAL FLATTEN(INPUT => "attribute".VALUE:"data"."cart"."products") AS "line"
UNION ALL
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", 'view' AS "listed_in", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", CAST(NULL AS VARCHAR) AS "order_id", CAST(NULL AS DOUBLE) AS "list_total", "line".VALUE:"quantity"::INTEGER AS "quantity", "line".VALUE:"product"."name"::VARCHAR AS "name", "line".VALUE:"product"."category"::VARCHAR AS "category", "line".VALUE:"product"."sku"::VARCHAR AS "sku", "line".VALUE:"product"."price"::DOUBLE AS "price"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute",
LATERAL FLATTEN(INPUT => "attribute".VALUE:"data"."viewedProduct"."products") AS "line";

CREATE OR REPLACE VIEW "customers" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", "attribute".VALUE:"data"."customerInfo"."customerId"::VARCHAR AS "customer_id", "attribute".VALUE:"data"."customerInfo"."customerType"::VARCHAR AS "customer_type", "attribute".VALUE:"data"."customerInfo"."customerStatus"::VARCHAR AS "customer_status", "attribute".VALUE:"data"."customerInfo"."balance"::DOUBLE AS "balance", "attribute".VALUE:"data"."customerInfo"."socialId"::VARCHAR AS "social_id", "attribute".VALUE:"data"."customerInfo"."imei"::VARCHAR AS "imei", "attribute".VALUE:"data"."customerInfo"."userName"::VARCHAR AS "user_name", "attribute".VALUE:"data"."customerInfo"."accountName"::VARCHAR AS "account_name", "attribute".VALUE:"data"."customerInfo"."companySize"::INTEGER AS "company_size", "attribute".VALUE:"data"."customerInfo"."role"::VARCHAR AS "role", "attribute".VALUE:"data"."customerInfo"."lastPaymentDate"."year"::INTEGER AS "last_payment_year", "attribute".VALUE:"data"."customerInfo"."lastPaymentDate"."month"::INTEGER AS "last_payment_month", "attribute".VALUE:"data"."customerInfo"."lastPaymentDate"."day"::INTEGER AS "last_payment_day", "attribute".VALUE:"data"."customerInfo"."registrationDate"."year"::INTEGER AS "registration_year", "attribute".VALUE:"data"."customerInfo"."registrationDate"."month"::INTEGER AS "registration_month", "attribute".VALUE:"data"."customerInfo"."registrationDate"."day"::INTEGER AS "registration_day", "attribute".VALUE:"data"."customerInfo"."storeNumber"::VARCHAR AS "store_number", "attribute".VALUE:"data"."customerInfo"."storeZipCode"::VARCHAR AS "store_zip_code", "attribute".VALUE:"data"."customerInfo"."isAuthenticated"::BOOLEAN AS "is_authenticated", "attribute".VALUE:"data"."customerInfo"."authenticatedConversationId"::VARCHAR AS "conversation_id"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute"
WHERE "attribute".VALUE:"data"."customerInfo"::OBJECT IS NOT NULL;

CREATE OR REPLACE VIEW "personal_info" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", "attribute".VALUE:"data"."personalInfo"."name"::VARCHAR AS "name", "attribute".VALUE:"data"."personalInfo"."surname"::VARCHAR AS "surname", "attribute".VALUE:"data"."personalInfo"."gender"::VARCHAR AS "gender", "attribute".VALUE:"data"."personalInfo"."company"::VARCHAR AS "company", "attribute".VALUE:"data"."personalInfo"."customerAge"."customerAgeInYears"::INTEGER AS "age_in_years", "attribute".VALUE:"data"."personalInfo"."customerAge"."customerYearOfBirth"::INTEGER AS "year_of_birth", "attribute".VALUE:"data"."personalInfo"."customerAge"."customerMonthOfBirth"::INTEGER AS "month_of_birth", "attribute".VALUE:"data"."personalInfo"."customerAge"."customerDateOfBirth"::INTEGER AS "day_of_birth", "attribute".VALUE:"data"."personalInfo"."contacts"::ARRAY AS "contacts", "attribute".VALUE:"data"."personalInfo"."isAuthenticated"::BOOLEAN AS "is_authenticated", "attribute".VALUE:"data"."personalInfo"."authenticatedConversationId"::VARCHAR AS "conversation_id"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute"
WHERE "attribute".VALUE:"data"."personalInfo"::OBJECT IS NOT NULL;

CREATE OR REPLACE VIEW "leads" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", "attribute".VALUE:"data"."lead"."leadId"::VARCHAR AS "lead_id", "attribute".VALUE:"data"."lead"."topic"::VARCHAR AS "topic", "attribute".VALUE:"data"."lead"."value"::DOUBLE AS "value"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute"
WHERE "attribute".VALUE:"data"."lead"::OBJECT IS NOT NULL;

CREATE OR REPLACE VIEW "service_activities" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", "attribute".VALUE:"data"."serviceActivity"."serviceId"::VARCHAR AS "service_id", "attribute".VALUE:"data"."serviceActivity"."topic"::VARCHAR AS "topic", "attribute".VALUE:"data"."serviceActivity"."category"::VARCHAR AS "category", "attribute".VALUE:"data"."serviceActivity"."status"::INTEGER AS "status"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute"
WHERE "attribute".VALUE:"data"."serviceActivity"::OBJECT IS NOT NULL;

CREATE OR REPLACE VIEW "errors" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", "attribute".VALUE:"data"."visitorError"."contextId"::VARCHAR AS "context_id", "attribute".VALUE:"data"."visitorError"."message"::VARCHAR AS "message", "attribute".VALUE:"data"."visitorError"."code"::INTEGER AS "code", "attribute".VALUE:"data"."visitorError"."level"::INTEGER AS "level", "attribute".VALUE:"data"."visitorError"."resolved"::BOOLEAN AS "resolved"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute"
WHERE "attribute".VALUE:"data"."visitorError"::OBJECT IS NOT NULL;

CREATE OR REPLACE VIEW "marketing_campaigns" AS
SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", "attribute".VALUE:"data"."marketingCampaignInfo"."campaignId"::VARCHAR AS "campaign_id", "attribute".VALUE:"data"."marketingCampaignInfo"."affiliate"::VARCHAR AS "affiliate", "attribute".VALUE:"data"."marketingCampaignInfo"."originatingChannel"::INTEGER AS "originating_channel"
FROM "engagement_attributes" AS r,
LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute"
WHERE "attribute".VALUE:"data"."marketingCampaignInfo"::OBJECT IS NOT NULL;

CREATE OR REPLACE VIEW "visits" AS
SELECT
  "accountId",
  "visitId",
  MIN("visitorId") AS "visitorId",
  MIN("date") AS "date",
  MIN("started_at") AS "started_at",
  MAX("ended_at") AS "ended_at",
  MAX("country") AS "country",
  MAX("country_code") AS "country_code",
  MAX("state") AS "state",
  MAX("city") AS "city",
  MAX("device_family") AS "device_family",
  MAX("device_os") AS "device_os",
  MAX("search_engine") AS "search_engine",
  MAX("site_control_group") AS "site_control_group",
  MAX("landing_page") AS "landing_page",
  MAX("exit_page") AS "exit_page",
  CAST(COALESCE(SUM("pages"), 0) AS INTEGER) AS "pages",
  CAST(COALESCE(SUM("impressions_shown"), 0) AS INTEGER) AS "impressions_shown",
  CAST(COALESCE(SUM("impressions_accepted"), 0) AS INTEGER) AS "impressions_accepted",
  CAST(COALESCE(SUM("goals"), 0) AS INTEGER) AS "goals",
  CAST(COALESCE(SUM("orders"), 0) AS INTEGER) AS "orders",
  SUM("order_value") AS "order_value",
  MAX("customer_type") AS "customer_type"
FROM (
  SELECT "accountId" AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP_TZ) AS "started_at", CAST(NULL AS TIMESTAMP_TZ) AS "ended_at", CASE WHEN "place" = 1 THEN "country" END AS "country", CASE WHEN "place" = 1 THEN "countryCode" END AS "country_code", CASE WHEN "place" = 1 THEN "state" END AS "state", CASE WHEN "place" = 1 THEN "city" END AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM (
    SELECT "metaData":"accountId"::VARCHAR AS "accountId", "visitId", "visitorId", "date", "country", "countryCode", "state", "city", ROW_NUMBER() OVER (PARTITION BY "metaData":"accountId"::VARCHAR, "visitId" ORDER BY CASE WHEN "country" IS NULL THEN 1 ELSE 0 END, "source_file", "record_number") AS "place"
    FROM "geo"
  ) AS "ranked"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", "sessionStartTime" AS "started_at", "sessionStartTime" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CASE WHEN "place" = 1 THEN "deviceFamily" END AS "device_family", CASE WHEN "place" = 1 THEN "deviceOS" END AS "device_os", CASE WHEN "place" = 1 THEN "searchEngine" END AS "search_engine", CASE WHEN "place" = 1 THEN "siteControlGroup" END AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM (
    SELECT "metaData":"accountId"::VARCHAR AS "accountId", "visitId", "visitorId", "date", "sessionStartTime", "deviceFamily", "deviceOS", "searchEngine", "siteControlGroup", ROW_NUMBER() OVER (PARTITION BY "metaData":"accountId"::VARCHAR, "visitId" ORDER BY CASE WHEN "sessionStartTime" IS NULL THEN 1 ELSE 0 END, "sessionStartTime", "source_file", "record_number") AS "place"
    FROM "session_info"
  ) AS "ranked"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData":"accountId"::VARCHAR AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP_TZ) AS "started_at", CAST(NULL AS TIMESTAMP_TZ) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "navigation"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData":"accountId"::VARCHAR AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP_TZ) AS "started_at", CAST(NULL AS TIMESTAMP_TZ) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "eligibility"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData":"accountId"::VARCHAR AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP_TZ) AS "started_at", CAST(NULL AS TIMESTAMP_TZ) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "impression"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData":"accountId"::VARCHAR AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP_TZ) AS "started_at", CAST(NULL AS TIMESTAMP_TZ) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "goal_achieved"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData":"accountId"::VARCHAR AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP_TZ) AS "started_at", CAST(NULL AS TIMESTAMP_TZ) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "engagement_attributes"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData":"accountId"::VARCHAR AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP_TZ) AS "started_at", CAST(NULL AS TIMESTAMP_TZ) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "unrecognized"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", CAST(NULL AS VARCHAR) AS "visitorId", CAST(NULL AS DATE) AS "date", "viewed_at" AS "started_at", "viewed_at" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CASE WHEN "first" = 1 THEN "url" END AS "landing_page", CASE WHEN "last" = 1 THEN "url" END AS "exit_page", CAST(CASE WHEN "visitId" IS NOT NULL THEN 1 ELSE 0 END AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM (
    SELECT "accountId", "visitId", "viewed_at", "url", ROW_NUMBER() OVER (PARTITION BY "accountId", "visitId" ORDER BY CASE WHEN "viewed_at" IS NULL THEN 1 ELSE 0 END, "viewed_at", "source_file", "record_number", "url") AS "first", ROW_NUMBER() OVER (PARTITION BY "accountId", "visitId" ORDER BY CASE WHEN "viewed_at" IS NULL THEN 0 ELSE 1 END DESC, "viewed_at" DESC, "source_file" DESC, "record_number" DESC, "url" DESC) AS "last"
    FROM "page_views"
  ) AS "ranked"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", CAST(NULL AS VARCHAR) AS "visitorId", CAST(NULL AS DATE) AS "date", "occurred_at" AS "started_at", "occurred_at" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(CASE WHEN "impression_type" = 'Show' THEN 1 ELSE 0 END AS INTEGER) AS "impressions_shown", CAST(CASE WHEN "impression_type" = 'Accept' THEN 1 ELSE 0 END AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "impressions"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", CAST(NULL AS VARCHAR) AS "visitorId", CAST(NULL AS DATE) AS "date", "achieved_at" AS "started_at", "achieved_at" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(CASE WHEN "place" = 1 OR "achievement_id" IS NULL THEN 1 ELSE 0 END AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM (
    SELECT "accountId", "visitId", "achieved_at", "achievement_id", ROW_NUMBER() OVER (PARTITION BY "accountId", "visitId", "achievement_id" ORDER BY "source_file", "record_number") AS "place"
    FROM "goals"
  ) AS "ranked"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", CAST(NULL AS VARCHAR) AS "visitorId", CAST(NULL AS DATE) AS "date", "reported_at" AS "started_at", "reported_at" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(CASE WHEN "purchase" IS NOT NULL AND ("order_place" = 1 OR "order_id" IS NULL) THEN 1 ELSE 0 END AS INTEGER) AS "orders", CASE WHEN "purchase" IS NOT NULL AND ("order_place" = 1 OR "order_id" IS NULL) THEN "total" END AS "order_value", CASE WHEN "customer_place" = 1 THEN "customer_type" END AS "customer_type"
  FROM (
    SELECT "accountId", "visitId", "reported_at", "purchase", "order_id", "total", "customer_type", ROW_NUMBER() OVER (PARTITION BY "accountId", "visitId", "order_id" ORDER BY CASE WHEN "reported_at" IS NULL THEN 1 ELSE 0 END, "reported_at", "source_file", "record_number", CASE WHEN "total" IS NULL THEN 1 ELSE 0 END, "total") AS "order_place", ROW_NUMBER() OVER (PARTITION BY "accountId", "visitId" ORDER BY CASE WHEN "customer_type" IS NULL THEN 0 ELSE 1 END DESC, CASE WHEN "reported_at" IS NULL THEN 0 ELSE 1 END DESC, "reported_at" DESC, "source_file" DESC, "record_number" DESC, "customer_type" DESC) AS "customer_place"
    FROM (SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "attribute".VALUE:"timestamp"::TIMESTAMP_TZ AS "reported_at", "attribute".VALUE:"data"."purchase"::OBJECT AS "purchase", "attribute".VALUE:"data"."purchase"."orderId"::VARCHAR AS "order_id", "attribute".VALUE:"data"."purchase"."total"::DOUBLE AS "total", "attribute".VALUE:"data"."customerInfo"."customerType"::VARCHAR AS "customer_type"
      FROM "engagement_attributes" AS r,
      LATERAL FLATTEN(INPUT => r."engagementAttributes") AS "attribute") AS "event"
  ) AS "ranked"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", CAST(NULL AS VARCHAR) AS "visitorId", CAST(NULL AS DATE) AS "date", "assessed_at" AS "started_at", "assessed_at" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS INTEGER) AS "pages", CAST(NULL AS INTEGER) AS "impressions_shown", CAST(NULL AS INTEGER) AS "impressions_accepted", CAST(NULL AS INTEGER) AS "goals", CAST(NULL AS INTEGER) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM (SELECT r."metaData":"accountId"::VARCHAR AS "accountId", r."visitId"::VARCHAR AS "visitId", r."visitorId"::VARCHAR AS "visitorId", r."date" AS "date", r."source_file"::VARCHAR AS "source_file", r."record_number"::INTEGER AS "record_number", "assessment".VALUE:"timestamp"::TIMESTAMP_TZ AS "assessed_at"
    FROM "eligibility" AS r,
    LATERAL FLATTEN(INPUT => r."eligibilityData") AS "assessment") AS "event"
  WHERE "visitId" IS NOT NULL
) AS "part"
GROUP BY "accountId", "visitId";
