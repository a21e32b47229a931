CREATE OR REPLACE VIEW "page_views" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "page"."timestamp" AS "viewed_at", "page"."url" AS "url", "page"."referrerUrl" AS "referrer_url", "page"."sections" AS "sections"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("navigationData") AS "page"
  FROM "navigation"
  WHERE ARRAY_LENGTH("navigationData") > 0) AS "level_0";

CREATE OR REPLACE VIEW "impressions" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "event"."timestamp" AS "occurred_at", "event"."impressionType" AS "impression_type", "event"."state" AS "state", "event"."controlGroup" AS "control_group", "event"."engagementInstanceId" AS "engagement_instance_id", "event"."engagement"."id" AS "engagement_id", "event"."engagement"."channel" AS "engagement_channel", "event"."engagement"."type" AS "engagement_type", "event"."engagement"."skillId" AS "skill_id", "event"."engagement"."skillName" AS "skill_name", "event"."campaign"."id" AS "campaign_id", "event"."goal"."id" AS "goal_id", "event"."goal"."type" AS "goal_type"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("impressions") AS "event"
  FROM "impression"
  WHERE ARRAY_LENGTH("impressions") > 0) AS "level_0";

CREATE OR REPLACE VIEW "eligible_campaigns" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "assessment"."timestamp" AS "assessed_at", "eligible"."campaign"."id" AS "campaign_id", "eligible"."controlGroupType" AS "control_group_type", "eligible"."goal"."id" AS "goal_id", "eligible"."goal"."type" AS "goal_type"
FROM (SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "assessment", UNNEST("assessment"."eligibleCampaigns") AS "eligible"
  FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("eligibilityData") AS "assessment"
    FROM "eligibility"
    WHERE ARRAY_LENGTH("eligibilityData") > 0) AS "level_0"
  WHERE ARRAY_LENGTH("assessment"."eligibleCampaigns") > 0) AS "level_1";

CREATE OR REPLACE VIEW "goals" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "goal"."id" AS "achievement_id", "goal"."timestamp" AS "achieved_at", "goal"."campaignGoalId" AS "goal_id", "goal"."campaignGoalRevision" AS "goal_revision", "goal"."campaignGoalType" AS "goal_type", "goal"."goalMetaData"."type" AS "goal_kind", "goal"."goalMetaData"."urlGoalMetadata"."url" AS "url", "goal"."goalMetaData"."purchaseMetadata"."orderId" AS "order_id", "goal"."goalMetaData"."purchaseMetadata"."total" AS "order_total", "goal"."goalMetaData"."reduceAbandonmentGoalMetadata"."numberOfPages" AS "pages_viewed", "goal"."goalMetaData"."increaseInteractionGoalMetadata"."engagement"."id" AS "engagement_id", "goal"."goalMetaData"."increaseInteractionGoalMetadata"."campaign"."id" AS "campaign_id", "goal"."goalMetaData"."leadMetadata"."leadId" AS "lead_id", "goal"."goalMetaData"."leadMetadata"."value" AS "lead_value", "goal"."goalMetaData"."serviceActivityMetadata"."serviceId" AS "service_id"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("achievedGoals") AS "goal"
  FROM "goal_achieved"
  WHERE ARRAY_LENGTH("achievedGoals") > 0) AS "level_0";

CREATE OR REPLACE VIEW "purchases" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute"."timestamp" AS "reported_at", "attribute"."data"."purchase"."orderId" AS "order_id", "attribute"."data"."purchase"."total" AS "total", "attribute"."data"."purchase"."cart"."total" AS "cart_total", "attribute"."data"."purchase"."cart"."numItems" AS "num_items"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
  FROM "engagement_attributes"
  WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
WHERE "attribute"."data"."purchase" IS NOT NULL;

CREATE OR REPLACE VIEW "carts" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute"."timestamp" AS "reported_at", "attribute"."data"."cart"."total" AS "total", "attribute"."data"."cart"."numItems" AS "num_items"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
  FROM "engagement_attributes"
  WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
WHERE "attribute"."data"."cart" IS NOT NULL;

CREATE OR REPLACE VIEW "products" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", 'purchase' AS "listed_in", "attribute"."timestamp" AS "reported_at", "attribute"."data"."purchase"."orderId" AS "order_id", "attribute"."data"."purchase"."total" AS "list_total", "line"."quantity" AS "quantity", "line"."product"."name" AS "name", "line"."product"."category" AS "category", "line"."product"."sku" AS "sku", "line"."product"."price" AS "price"
FROM (SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute", UNNEST("attribute"."data"."purchase"."cart"."products") AS "line"
  FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
    FROM "engagement_attributes"
    WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
  WHERE ARRAY_LENGTH("attribute"."data"."purchase"."cart"."products") > 0) AS "level_1"
UNION ALL
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", 'cart' AS "listed_in", "attribute"."timestamp" AS "reported_at", CAST(NULL AS VARCHAR) AS "order_id", "attribute"."data"."cart"."total" AS "list_total", "line"."quantity" AS "quantity", "line"."product"."name" AS "name", "line"."product"."category" AS "category", "line"."product"."sku" AS "sku", "line"."product"."price" AS "price"
FROM (SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute", UNNEST("attribute"."data"."cart"."products") AS "line"
  FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
    FROM "engagement_attributes"
    WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
  WHERE ARRAY_LENGTH("attribute"."data"."cart"."products") > 0) AS "level_1"
UNION ALL
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", 'view' AS "listed_in", "attribute"."timestamp" AS "reported_at", CAST(NULL AS VARCHAR) AS "order_id", CAST(NULL AS DOUBLE) AS "list_total", "line"."quantity" AS "quantity", "line"."product"."name" AS "name", "line"."product"."category" AS "category", "line"."product"."sku" AS "sku", "line"."product"."price" AS "price"
FROM (SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute", UNNEST("attribute"."data"."viewedProduct"."products") AS "line"
  FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
    FROM "engagement_attributes"
    WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
  WHERE ARRAY_LENGTH("attribute"."data"."viewedProduct"."products") > 0) AS "level_1";

CREATE OR REPLACE VIEW "customers" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute"."timestamp" AS "reported_at", "attribute"."data"."customerInfo"."customerId" AS "customer_id", "attribute"."data"."customerInfo"."customerType" AS "customer_type", "attribute"."data"."customerInfo"."customerStatus" AS "customer_status", "attribute"."data"."customerInfo"."balance" AS "balance", "attribute"."data"."customerInfo"."socialId" AS "social_id", "attribute"."data"."customerInfo"."imei" AS "imei", "attribute"."data"."customerInfo"."userName" AS "user_name", "attribute"."data"."customerInfo"."accountName" AS "account_name", "attribute"."data"."customerInfo"."companySize" AS "company_size", "attribute"."data"."customerInfo"."role" AS "role", "attribute"."data"."customerInfo"."lastPaymentDate"."year" AS "last_payment_year", "attribute"."data"."customerInfo"."lastPaymentDate"."month" AS "last_payment_month", "attribute"."data"."customerInfo"."lastPaymentDate"."day" AS "last_payment_day", "attribute"."data"."customerInfo"."registrationDate"."year" AS "registration_year", "attribute"."data"."customerInfo"."registrationDate"."month" AS "registration_month", "attribute"."data"."customerInfo"."registrationDate"."day" AS "registration_day", "attribute"."data"."customerInfo"."storeNumber" AS "store_number", "attribute"."data"."customerInfo"."storeZipCode" AS "store_zip_code", "attribute"."data"."customerInfo"."isAuthenticated" AS "is_authenticated", "attribute"."data"."customerInfo"."authenticatedConversationId" AS "conversation_id"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
  FROM "engagement_attributes"
  WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
WHERE "attribute"."data"."customerInfo" IS NOT NULL;

CREATE OR REPLACE VIEW "personal_info" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute"."timestamp" AS "reported_at", "attribute"."data"."personalInfo"."name" AS "name", "attribute"."data"."personalInfo"."surname" AS "surname", "attribute"."data"."personalInfo"."gender" AS "gender", "attribute"."data"."personalInfo"."company" AS "company", "attribute"."data"."personalInfo"."customerAge"."customerAgeInYears" AS "age_in_years", "attribute"."data"."personalInfo"."customerAge"."customerYearOfBirth" AS "year_of_birth", "attribute"."data"."personalInfo"."customerAge"."customerMonthOfBirth" AS "month_of_birth", "attribute"."data"."personalInfo"."customerAge"."customerDateOfBirth" AS "day_of_birth", "attribute"."data"."personalInfo"."contacts" AS "contacts", "attribute"."data"."personalInfo"."isAuthenticated" AS "is_authenticated", "attribute"."data"."personalInfo"."authenticatedConversationId" AS "conversation_id"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
  FROM "engagement_attributes"
  WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
WHERE "attribute"."data"."personalInfo" IS NOT NULL;

CREATE OR REPLACE VIEW "leads" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute"."timestamp" AS "reported_at", "attribute"."data"."lead"."leadId" AS "lead_id", "attribute"."data"."lead"."topic" AS "topic", "attribute"."data"."lead"."value" AS "value"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
  FROM "engagement_attributes"
  WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
WHERE "attribute"."data"."lead" IS NOT NULL;

CREATE OR REPLACE VIEW "service_activities" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute"."timestamp" AS "reported_at", "attribute"."data"."serviceActivity"."serviceId" AS "service_id", "attribute"."data"."serviceActivity"."topic" AS "topic", "attribute"."data"."serviceActivity"."category" AS "category", "attribute"."data"."serviceActivity"."status" AS "status"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
  FROM "engagement_attributes"
  WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
WHERE "attribute"."data"."serviceActivity" IS NOT NULL;

CREATE OR REPLACE VIEW "errors" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute"."timestamp" AS "reported_at", "attribute"."data"."visitorError"."contextId" AS "context_id", "attribute"."data"."visitorError"."message" AS "message", "attribute"."data"."visitorError"."code" AS "code", "attribute"."data"."visitorError"."level" AS "level", "attribute"."data"."visitorError"."resolved" AS "resolved"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
  FROM "engagement_attributes"
  WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
WHERE "attribute"."data"."visitorError" IS NOT NULL;

CREATE OR REPLACE VIEW "marketing_campaigns" AS
SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute"."timestamp" AS "reported_at", "attribute"."data"."marketingCampaignInfo"."campaignId" AS "campaign_id", "attribute"."data"."marketingCampaignInfo"."affiliate" AS "affiliate", "attribute"."data"."marketingCampaignInfo"."originatingChannel" AS "originating_channel"
FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
  FROM "engagement_attributes"
  WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0"
WHERE "attribute"."data"."marketingCampaignInfo" IS NOT NULL;

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
  CAST(COALESCE(SUM("pages"), 0) AS BIGINT) AS "pages",
  CAST(COALESCE(SUM("impressions_shown"), 0) AS BIGINT) AS "impressions_shown",
  CAST(COALESCE(SUM("impressions_accepted"), 0) AS BIGINT) AS "impressions_accepted",
  CAST(COALESCE(SUM("goals"), 0) AS BIGINT) AS "goals",
  CAST(COALESCE(SUM("orders"), 0) AS BIGINT) AS "orders",
  SUM("order_value") AS "order_value",
  MAX("customer_type") AS "customer_type"
FROM (
  SELECT "accountId" AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "started_at", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "ended_at", CASE WHEN "place" = 1 THEN "country" END AS "country", CASE WHEN "place" = 1 THEN "countryCode" END AS "country_code", CASE WHEN "place" = 1 THEN "state" END AS "state", CASE WHEN "place" = 1 THEN "city" END AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM (
    SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "country", "countryCode", "state", "city", ROW_NUMBER() OVER (PARTITION BY "metaData"."accountId", "visitId" ORDER BY CASE WHEN "country" IS NULL THEN 1 ELSE 0 END, "source_file", "record_number") AS "place"
    FROM "geo"
  ) AS "ranked"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", "sessionStartTime" AS "started_at", "sessionStartTime" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CASE WHEN "place" = 1 THEN "deviceFamily" END AS "device_family", CASE WHEN "place" = 1 THEN "deviceOS" END AS "device_os", CASE WHEN "place" = 1 THEN "searchEngine" END AS "search_engine", CASE WHEN "place" = 1 THEN "siteControlGroup" END AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM (
    SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "sessionStartTime", "deviceFamily", "deviceOS", "searchEngine", "siteControlGroup", ROW_NUMBER() OVER (PARTITION BY "metaData"."accountId", "visitId" ORDER BY CASE WHEN "sessionStartTime" IS NULL THEN 1 ELSE 0 END, "sessionStartTime", "source_file", "record_number") AS "place"
    FROM "session_info"
  ) AS "ranked"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "started_at", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "navigation"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "started_at", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "eligibility"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "started_at", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "impression"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "started_at", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "goal_achieved"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "started_at", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "engagement_attributes"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId" AS "visitorId", "date" AS "date", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "started_at", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "unrecognized"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", CAST(NULL AS VARCHAR) AS "visitorId", CAST(NULL AS DATE) AS "date", "viewed_at" AS "started_at", "viewed_at" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CASE WHEN "first" = 1 THEN "url" END AS "landing_page", CASE WHEN "last" = 1 THEN "url" END AS "exit_page", CAST(CASE WHEN "visitId" IS NOT NULL THEN 1 ELSE 0 END AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM (
    SELECT "accountId", "visitId", "viewed_at", "url", ROW_NUMBER() OVER (PARTITION BY "accountId", "visitId" ORDER BY CASE WHEN "viewed_at" IS NULL THEN 1 ELSE 0 END, "viewed_at", "source_file", "record_number", "url") AS "first", ROW_NUMBER() OVER (PARTITION BY "accountId", "visitId" ORDER BY CASE WHEN "viewed_at" IS NULL THEN 0 ELSE 1 END DESC, "viewed_at" DESC, "source_file" DESC, "record_number" DESC, "url" DESC) AS "last"
    FROM "page_views"
  ) AS "ranked"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", CAST(NULL AS VARCHAR) AS "visitorId", CAST(NULL AS DATE) AS "date", "occurred_at" AS "started_at", "occurred_at" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(CASE WHEN "impression_type" = 'Show' THEN 1 ELSE 0 END AS BIGINT) AS "impressions_shown", CAST(CASE WHEN "impression_type" = 'Accept' THEN 1 ELSE 0 END AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM "impressions"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", CAST(NULL AS VARCHAR) AS "visitorId", CAST(NULL AS DATE) AS "date", "achieved_at" AS "started_at", "achieved_at" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(CASE WHEN "place" = 1 OR "achievement_id" IS NULL THEN 1 ELSE 0 END AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM (
    SELECT "accountId", "visitId", "achieved_at", "achievement_id", ROW_NUMBER() OVER (PARTITION BY "accountId", "visitId", "achievement_id" ORDER BY "source_file", "record_number") AS "place"
    FROM "goals"
  ) AS "ranked"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", CAST(NULL AS VARCHAR) AS "visitorId", CAST(NULL AS DATE) AS "date", "reported_at" AS "started_at", "reported_at" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(CASE WHEN "purchase" IS NOT NULL AND ("order_place" = 1 OR "order_id" IS NULL) THEN 1 ELSE 0 END AS BIGINT) AS "orders", CASE WHEN "purchase" IS NOT NULL AND ("order_place" = 1 OR "order_id" IS NULL) THEN "total" END AS "order_value", CASE WHEN "customer_place" = 1 THEN "customer_type" END AS "customer_type"
  FROM (
    SELECT "accountId", "visitId", "reported_at", "purchase", "order_id", "total", "customer_type", ROW_NUMBER() OVER (PARTITION BY "accountId", "visitId", "order_id" ORDER BY CASE WHEN "reported_at" IS NULL THEN 1 ELSE 0 END, "reported_at", "source_file", "record_number", CASE WHEN "total" IS NULL THEN 1 ELSE 0 END, "total") AS "order_place", ROW_NUMBER() OVER (PARTITION BY "accountId", "visitId" ORDER BY CASE WHEN "customer_type" IS NULL THEN 0 ELSE 1 END DESC, CASE WHEN "reported_at" IS NULL THEN 0 ELSE 1 END DESC, "reported_at" DESC, "source_file" DESC, "record_number" DESC, "customer_type" DESC) AS "customer_place"
    FROM (SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "attribute"."timestamp" AS "reported_at", "attribute"."data"."purchase" AS "purchase", "attribute"."data"."purchase"."orderId" AS "order_id", "attribute"."data"."purchase"."total" AS "total", "attribute"."data"."customerInfo"."customerType" AS "customer_type"
      FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("engagementAttributes") AS "attribute"
        FROM "engagement_attributes"
        WHERE ARRAY_LENGTH("engagementAttributes") > 0) AS "level_0") AS "event"
  ) AS "ranked"
  WHERE "visitId" IS NOT NULL
  UNION ALL
  SELECT "accountId" AS "accountId", "visitId", CAST(NULL AS VARCHAR) AS "visitorId", CAST(NULL AS DATE) AS "date", "assessed_at" AS "started_at", "assessed_at" AS "ended_at", CAST(NULL AS VARCHAR) AS "country", CAST(NULL AS VARCHAR) AS "country_code", CAST(NULL AS VARCHAR) AS "state", CAST(NULL AS VARCHAR) AS "city", CAST(NULL AS VARCHAR) AS "device_family", CAST(NULL AS VARCHAR) AS "device_os", CAST(NULL AS VARCHAR) AS "search_engine", CAST(NULL AS VARCHAR) AS "site_control_group", CAST(NULL AS VARCHAR) AS "landing_page", CAST(NULL AS VARCHAR) AS "exit_page", CAST(NULL AS BIGINT) AS "pages", CAST(NULL AS BIGINT) AS "impressions_shown", CAST(NULL AS BIGINT) AS "impressions_accepted", CAST(NULL AS BIGINT) AS "goals", CAST(NULL AS BIGINT) AS "orders", CAST(NULL AS DOUBLE) AS "order_value", CAST(NULL AS VARCHAR) AS "customer_type"
  FROM (SELECT "accountId", "visitId", "visitorId", "date", "source_file", "record_number", "assessment"."timestamp" AS "assessed_at"
    FROM (SELECT "metaData"."accountId" AS "accountId", "visitId", "visitorId", "date", "source_file", "record_number", UNNEST("eligibilityData") AS "assessment"
      FROM "eligibility"
      WHERE ARRAY_LENGTH("eligibilityData") > 0) AS "level_0") AS "event"
  WHERE "visitId" IS NOT NULL
) AS "part"
GROUP BY "accountId", "visitId";
