"""Every struct of Web Session: the tables of the documentation page as Arrow fields, one line for each field.

A struct is defined after the structs that it contains. Fields have the order and the descriptions of the page.
``documented`` is None if a struct or field appears only in an example on the page.
"""

from __future__ import annotations

from wsparquet.schema.fields import (
    Struct,
    boolean,
    double,
    enum,
    instant,
    integer,
    list_of,
    long,
    struct,
    text,
    texts,
    union,
)

# --- Header and the container's metaData ------------------------------------------------------------------------------

HEADER = Struct(
    "Header",
    (
        text("visitId", "Unique visitor session identifier."),
        text("visitorId", "Unique visitor identifier of the visitor."),
        text("contextId", "Context ID."),
    ),
    aliases=("VisitorHeader",),
)

METADATA = Struct(
    "MetaData",
    (
        text("accountId", "LivePerson account number.", None),
        text("schemaVersion", "Version of the source's own schema.", None),
        instant("startTime", "Start of the time that the container covers.", None),
        instant("endTime", "End of the time that the container covers.", None),
    ),
)

# --- Campaigns, engagements, goals ------------------------------------------------------------------------------------

VISITOR_BEHAVIOR = Struct(
    "Visitor Behavior",
    (
        long("id", "Visitor behavior unique identifier (LP ID)."),
        long("revision", "Revision in visitor behavior ID."),
    ),
)

SKILL = Struct("Skill", (long("id", "Unique skill identifier."), text("name", "Skill name.")))

VISITOR_PROFILE = Struct(
    "visitor profile",
    (
        long("id", "Visitor profile unique identifier.", None),
        long("revision", "Revision of the visitor profile.", None),
    ),
)

ENGAGEMENT_TYPES = {
    "0": "peeling corner",
    "1": "overlay",
    "2": "toaster",
    "3": "slide-out",
    "5": "embedded",
    "6": "sticky",
}

ENGAGEMENT = Struct(
    "Engagement",
    (
        long("id", "Engagement ID."),
        text("channel", "Channel type."),
        enum("type", "Engagement type.", ENGAGEMENT_TYPES),
        list_of("visitorBehaviors", VISITOR_BEHAVIOR, "List of visitor behaviors."),
        integer("skillId", "Engagement skill ID (in case a skill was defined for it)."),
        text("skillName", "Engagement skill name (in case a skill was defined for it)."),
        list_of("surveySkills", SKILL, "List of skills defined for the survey."),
        boolean("isOffsiteEngagement", "Indication of offsite engagement."),
        text("availabilityPolicy", "Policy which changes the engagement availability."),
        integer("interactionType", "The engagement type. Can be either chat or messaging."),
        integer("renderingType", "Determines the way the engagement will be showed."),
    ),
)

# The page's table repeats the fields of Engagement, but its example has id and visitorProfiles. Files may have either.
CAMPAIGN = Struct(
    "Campaign",
    (
        long("id", "Campaign ID.", None),
        list_of("visitorProfiles", VISITOR_PROFILE, "Visitor profiles that the campaign targets.", None),
        text("channel", "Channel type."),
        text("type", "Engagement type."),
        list_of("visitorBehaviors", VISITOR_BEHAVIOR, "List of visitor behaviors."),
        integer("skillId", "Engagement skill ID (in case a skill was defined for it)."),
        text("skillName", "Engagement skill name (in case a skill was defined for it)."),
        list_of(
            "surveySkills",
            SKILL,
            "Contains information about the goal.",
            correction="List of skills defined for the survey.",
        ),
        boolean("isOffsiteEngagement", "Indication if it is offsite engagement."),
        text("availabilityPolicy", "The engagement state is changed according to this policy."),
        integer("interactionType", "The engagement target - chat or messaging."),
        integer("renderingType", "Determines the way the engagement will be showed."),
    ),
)

GOAL = Struct(
    "Goal",
    (
        long("id", "Unique goal identifier."),
        integer("type", "Goal type."),
        integer("indicatorType", "Goal indicator type."),
    ),
)

ELIGIBLE_CAMPAIGN = Struct(
    "EligibleCampaign",
    (
        struct("campaign", CAMPAIGN, "Contains campaign information."),
        list_of("engagements", ENGAGEMENT, "List of engagements.", "array container"),
        struct("goal", GOAL, "Contains goal information."),
        enum(
            "controlGroupType",
            "Type of the campaign control groups.",
            ("NA", "TEST", "CONTROL"),
            "ControlGroupEnum",
            struct="ControlGroupEnum",
        ),
    ),
)

# --- Products and carts -----------------------------------------------------------------------------------------------

PRODUCT = Struct(
    "product",
    (
        text("name", "Product name."),
        text("category", "Product category."),
        text("sku", "Unique product ID identifier in consumer database."),
        double("price", "Product price."),
    ),
)

PRODUCT_CONTAINER = Struct(
    "productContainer",
    (
        integer("quantity", "Number of products."),
        struct("product", PRODUCT, "Contains product information."),
    ),
    kind="inline",
)

CART = Struct(
    "cart",
    (
        double("total", "Total cart value."),
        integer("numItems", "Number of items in cart."),
        list_of("products", PRODUCT_CONTAINER, "List of products (productContainer)."),
    ),
    aliases=("CartStatus",),
)

# --- Goal metadata ----------------------------------------------------------------------------------------------------

URL_GOAL_METADATA = Struct(
    "UrlGoalMetadata",
    (
        text(
            "url",
            "Unique ID for goal achieved event.",
            correction="URL of the page with which the visitor achieved the goal.",
        ),
    ),
)

PURCHASE_METADATA = Struct(
    "PurchaseMetadata",
    (
        double("total", "Total purchase."),
        text("orderId", "Purchase order ID."),
        struct("cartStatus", CART, "Cart status information."),
    ),
)

REDUCE_ABANDONMENT_GOAL_METADATA = Struct(
    "ReduceAbandonmentGoalMetadata", (integer("numberOfPages", "Number of pages viewed."),)
)

INCREASE_INTERACTION_GOAL_METADATA = Struct(
    "IncreaseInteractionGoalMetadata",
    (
        struct("engagement", ENGAGEMENT, "Contains engagement information."),
        struct("campaign", CAMPAIGN, "Contains campaign information."),
    ),
)

LEAD_METADATA = Struct(
    "LeadMetaData",
    (
        text("topic", "Lead topic."),
        text("leadId", "Unique identifier of the lead in your system."),
        double("value", "Lead value."),
    ),
)

SERVICE_ACTIVITY_METADATA = Struct(
    "ServiceActivityMetaData",
    (
        text("topic", "Topic of service activity."),
        integer("status", "Status of service activity."),
        text("category", "Category of service activity."),
        text("serviceId", "Unique service identifier."),
    ),
)

GOAL_METADATA = (
    ("urlGoalMetadata", URL_GOAL_METADATA),
    ("purchaseMetadata", PURCHASE_METADATA),
    ("reduceAbandonmentGoalMetadata", REDUCE_ABANDONMENT_GOAL_METADATA),
    ("increaseInteractionGoalMetadata", INCREASE_INTERACTION_GOAL_METADATA),
    ("leadMetadata", LEAD_METADATA),
    ("serviceActivityMetadata", SERVICE_ACTIVITY_METADATA),
)

# --- Engagement attributes --------------------------------------------------------------------------------------------

PURCHASE = Struct(
    "Purchase",
    (
        double("total", "Total amount of purchase."),
        text("orderId", "Purchase order ID."),
        struct("cart", CART, "Contains cart information."),
    ),
)

LEAD = Struct(
    "Lead",
    (
        text("topic", "Lead topic."),
        text("leadId", "Unique system lead identifier."),
        double("value", "Lead value."),
    ),
)

YMD_DATE = Struct(
    "YMDDate",
    (
        integer("year", "Year representation."),
        integer("month", "Month representation."),
        integer("day", "Day representation."),
    ),
)

CUSTOMER_INFO = Struct(
    "Customer Info",
    (
        boolean("isAuthenticated", "Indication whether the customer was authenticated (default is null)."),
        text(
            "authenticatedConversationId",
            "The identifier of the conversation that the authenticated customer took part in.",
        ),
        text("customerStatus", "Customer status."),
        text("customerType", "Customer type."),
        double("balance", "Customer balance."),
        text("customerId", "Unique identifier of the customer."),
        text("socialId", "The unique identifier of the user in the social network."),
        text("imei", "The user’s phone (used as identifier for a telco company)."),
        text("userName", "User nickname or display name."),
        integer("companySize", "Business targeting for B2B."),
        text("accountName", "The account name."),
        text("role", "User role in the organization."),
        struct("lastPaymentDate", YMD_DATE, "User’s last payment date (in YMDDate format).", "Date"),
        struct("registrationDate", YMD_DATE, "User’s registration date (in YMDDate format).", "Date"),
        # From a later version of the page.
        text("storeNumber", "Store number."),
        text("storeZipCode", "Store zip code."),
    ),
)

CUSTOMER_AGE = Struct(
    "customerAge",
    (
        integer("customerAgeInYears", "Customer age (in years)."),
        integer("customerYearOfBirth", "Customer year of birth."),
        integer("customerMonthOfBirth", "Customer month of birth."),
        integer("customerDateOfBirth", "Customer date of birth.", source_name="CustomerDateOfBirth"),
    ),
)

CONTACT = Struct("Contact", (text("email", "Contact email."), text("phone", "Contact phone number.")))

PERSONAL_INFO = Struct(
    "Personal Info",
    (
        boolean("isAuthenticated", "Indication whether the customer was authenticated (default is null)."),
        text(
            "authenticatedConversationId",
            "The identifier of the conversation that the authenticated customer took part in.",
        ),
        text("name", "Customer name."),
        text("surname", "Customer surname."),
        text("gender", "Customer gender."),
        text("company", "Customer company."),
        struct("customerAge", CUSTOMER_AGE, "Customer age."),
        list_of("contacts", CONTACT, "List of contacts."),
    ),
)

VIEWED_PRODUCT = Struct(
    "ViewedProduct",
    (list_of("products", PRODUCT_CONTAINER, "List of viewed products.", "Product container"),),
)

SERVICE_ACTIVITY = Struct(
    "ServiceActivity",
    (
        text("topic", "Topic of service activity."),
        integer("status", "Status of service activity."),
        text("category", "Category of service activity."),
        text("serviceId", "Service unique identifier."),
    ),
)

VISITOR_ERROR = Struct(
    "VisitorError",
    (
        text("contextId", "Error context ID (from the customer)."),
        text("message", "Error message."),
        long("code", "Error code."),
        long("level", "Error severity level."),
        boolean("resolved", "Indication whether the error was resolved."),
    ),
)

MARKETING_CAMPAIGN_INFO = Struct(
    "MarketingCampaignInfo",
    (
        integer("originatingChannel", "Channel which originated the campaign.", source_name="OriginatingChannel"),
        text("affiliate", "Affiliate."),
        text("campaignId", "Unique identifier of the campaign."),
    ),
)

ENGAGEMENT_ATTRIBUTE_DATA = (
    ("purchase", PURCHASE),
    ("cart", CART),
    ("lead", LEAD),
    ("customerInfo", CUSTOMER_INFO),
    ("personalInfo", PERSONAL_INFO),
    ("viewedProduct", VIEWED_PRODUCT),
    ("serviceActivity", SERVICE_ACTIVITY),
    ("visitorError", VISITOR_ERROR),
    ("marketingCampaignInfo", MARKETING_CAMPAIGN_INFO),
)

# --- Payloads of the record types -------------------------------------------------------------------------------------

GEO = Struct(
    "GEO",
    (
        text("iPV4", "IP V4 address."),
        text("iPV6", "IP V6 address."),
        text("country", "Country name."),
        text("city", "City name."),
        text("state", "State name."),
        text("org", "Organization name."),
        text("isp", "Internet service provider."),
        text("countryCode", "Country code."),
    ),
    aliases=("GeoLocation", "Location"),
)

NAVIGATION = Struct(
    "Navigation",
    (
        instant(
            "timestamp",
            "The time the visitor has first entered the page (in this particular visit). "
            "In format: UTC YYY-MM-DDThh:mm:ss",
            "string",
            correction="Files may also have milliseconds since 1970, and years have four digits.",
        ),
        text("url", "The URL representation of the visited page."),
        text("referrerUrl", "The URL representation of the last page the visitor visited."),
        texts("sections", "A list of the sections/tabs of the page the visitor visited.", "string"),
    ),
)

SESSION_INFO = Struct(
    "Session Info",
    (
        instant("sessionStartTime", "Visitor session’s start time."),
        text("userAgent", "User agent."),
        enum("deviceOS", "Device OS type.", ("NA", "WINDOWS", "MAC_OS", "LINUX", "IOS", "ANDROID")),
        enum("deviceFamily", "Device type.", ("NA", "DESKTOP", "TABLET", "MOBILE")),
        enum("siteControlGroup", "Site control group.", ("NA", "CONTROL", "TEST")),
        text(
            "searchEngine",
            "Search engine. Exist only if the visitor started a session after searching a known search engine. "
            "It is extracted from the referrer URL.",
            source_name="search Engine",
        ),
        text(
            "searchEngineKey",
            "Keywords used to search through the search engine prior to the session starting point. "
            "It is taken from the referrer URL.",
            source_name="search EngineKey",
        ),
    ),
)

ELIGIBILITY_DATA = Struct(
    "EligibilityData",
    (
        list_of(
            "eligibleCampaigns", ELIGIBLE_CAMPAIGN, "List of campaigns the visitor is eligible for.", "array container"
        ),
        instant(
            "timestamp",
            "The time that the assessment is made regarding which campaign is relevant to the visitor.",
        ),
    ),
)

IMPRESSION = Struct(
    "Impression",
    (
        instant("timestamp", "Time that the impression occurred.", "Long"),
        text("engagementInstanceId", "User agent.", correction="Unique identifier of the instance of the engagement."),
        enum("impressionType", "Type of impression.", ("Show", "Accept", "Close", "Timeout")),
        enum("state", "Impression state.", ("content", "chatonline", "chatoffline")),
        # From LivePerson's change log of 2017-10-30 (schema version 1.0.0.35), which has no type.
        enum(
            "controlGroup",
            "Control group of the impression.",
            ("NA", "TEST", "CONTROL"),
            None,
            struct="ControlGroupEnum",
        ),
        struct("engagement", ENGAGEMENT, "Contains information about the engagement."),
        struct("campaign", CAMPAIGN, "Contains information about the campaign."),
        struct("goal", GOAL, "Contains information about the goal."),
    ),
)

GOAL_ACHIEVED = Struct(
    "GoalAchieved",
    (
        text("id", "Unique ID for achieved goal."),
        instant("timestamp", "Time when goal was achieved."),
        long("campaignGoalId", "Campaign goal ID."),
        long("campaignGoalRevision", "Revision of campaign goal ID."),
        integer("campaignGoalType", "Goal type."),
        union("goalMetaData", GOAL_METADATA, "Contains goal metadata.", "container"),
    ),
)

ENGAGEMENT_ATTRIBUTES = Struct(
    "Engagement Attributes",
    (
        instant("timestamp", "Time when the attribute was reported.", None),
        union("data", ENGAGEMENT_ATTRIBUTE_DATA, "The engagement attribute.", None),
    ),
)
