"""The definitions of the flat views, which have one row for each element of a nested list.

A view reads one table, and unnests lists down to the elements that the view shows. ``wsparquet.render.views`` renders
the views for query engines. `visits`, which summarizes all tables, is defined in ``wsparquet.render.views.visits``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.tables import PARTITION, TABLES

__all__ = ["FLAT_VIEWS", "KEYS", "FlatView", "Rows", "ViewColumn", "element_of", "field_at"]

KEYS: Mapping[str, str] = {
    "accountId": "metaData.accountId",
    "visitId": "visitId",
    "visitorId": "visitorId",
    "date": "date",
    "source_file": "source_file",
    "record_number": "record_number",
}
"""The first columns of every flat view, with their paths in the table: they identify the visit and the record of a
row."""


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view: its name, its Arrow type, and its description."""

    name: str
    type: pa.DataType
    doc: str


@dataclass(frozen=True)
class Rows:
    """The origin of a view's rows: the elements of lists of a table.

    ``lists`` names each list by the alias of its elements. The path of a list, and the paths of ``columns``, begin with
    a column of the table or with an earlier alias; a column with the path "" is null. ``only`` is a path: elements
    whose value at this path is null give no row. ``constants`` are columns with the same text in all rows.
    """

    table: str
    lists: Mapping[str, str]
    columns: Mapping[str, str]
    only: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)

    def field_of(self, path: str) -> pa.Field:
        """Return the field at a path. Raises KeyError if there is no such field."""
        name, _, rest = path.partition(".")
        if name in self.lists:
            element = element_of(self.field_of(self.lists[name]))
            return field_at(element, rest) if rest else element
        top = PARTITION if name == PARTITION.name else TABLES[self.table].schema.field(name)
        return field_at(top, rest) if rest else top


@dataclass(frozen=True)
class FlatView:
    """A view, whose rows come from one or several lists. ``docs`` describes columns that the tables do not have."""

    name: str
    doc: str
    rows: tuple[Rows, ...]
    docs: Mapping[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the view reads."""
        return tuple(dict.fromkeys(each.table for each in self.rows))

    @cached_property
    def columns(self) -> tuple[ViewColumn, ...]:
        """All columns in order, the keys first."""
        rows = self.rows[0]
        constants = (ViewColumn(name, pa.string(), self.docs[name]) for name in rows.constants)
        found = (self._column(rows, name, path) for name, path in {**KEYS, **rows.columns}.items())
        keys = [next(found) for _ in KEYS]
        return (*keys, *constants, *found)

    def _column(self, rows: Rows, name: str, path: str) -> ViewColumn:
        field = rows.field_of(path)
        notes = annotations_of(field)
        return ViewColumn(name, field.type, self.docs.get(name, notes.correction or notes.doc))


def element_of(field: pa.Field) -> pa.Field:
    """Return the element of a list. Raises KeyError if the field is not a list."""
    if not pa.types.is_list(field.type):
        raise KeyError(field.name)
    return field.type.value_field


def field_at(field: pa.Field, path: str) -> pa.Field:
    """Return the field within a struct at a path, such as ``purchase.orderId``.

    Raises KeyError without such a field.
    """
    for name in path.split("."):
        if not pa.types.is_struct(field.type) or (index := field.type.get_field_index(name)) < 0:
            raise KeyError(path)
        field = field.type.field(index)
    return field


def _attributes(
    branch: str, columns: Mapping[str, str], *, lists: Mapping[str, str] | None = None, **more: str
) -> Rows:
    """Rows from the engagement attributes of one kind. The paths of ``columns`` begin in that attribute's value."""
    only = f"attribute.data.{branch}"
    paths = {
        name: path if not path or path.partition(".")[0] in (lists or {}) else f"{only}.{path}"
        for name, path in columns.items()
    }
    listed = {"attribute": "engagementAttributes", **{name: f"{only}.{path}" for name, path in (lists or {}).items()}}
    return Rows("engagement_attributes", listed, {"reported_at": "attribute.timestamp", **paths}, only, more)


ENGAGEMENT = {
    "engagement_id": "id",
    "engagement_channel": "channel",
    "engagement_type": "type",
    "skill_id": "skillId",
    "skill_name": "skillName",
}


def _engagement(path: str) -> dict[str, str]:
    return {name: f"{path}.{field}" for name, field in ENGAGEMENT.items()}


PRODUCT = {
    "quantity": "line.quantity",
    "name": "line.product.name",
    "category": "line.product.category",
    "sku": "line.product.sku",
    "price": "line.product.price",
}

FLAT_VIEWS: dict[str, FlatView] = {
    view.name: view
    for view in (
        FlatView(
            "page_views",
            "One row for each page that a visitor entered.",
            (
                Rows(
                    "navigation",
                    {"page": "navigationData"},
                    {
                        "viewed_at": "page.timestamp",
                        "url": "page.url",
                        "referrer_url": "page.referrerUrl",
                        "sections": "page.sections",
                    },
                ),
            ),
        ),
        FlatView(
            "impressions",
            "One row for each event of an engagement that a visitor saw: shown, accepted, closed, or timed out.",
            (
                Rows(
                    "impression",
                    {"event": "impressions"},
                    {
                        "occurred_at": "event.timestamp",
                        "impression_type": "event.impressionType",
                        "state": "event.state",
                        "control_group": "event.controlGroup",
                        "engagement_instance_id": "event.engagementInstanceId",
                        **_engagement("event.engagement"),
                        "campaign_id": "event.campaign.id",
                        "goal_id": "event.goal.id",
                        "goal_type": "event.goal.type",
                    },
                ),
            ),
        ),
        FlatView(
            "eligible_campaigns",
            "One row for each campaign that a visitor was eligible for, in each assessment.",
            (
                Rows(
                    "eligibility",
                    {"assessment": "eligibilityData", "eligible": "assessment.eligibleCampaigns"},
                    {
                        "assessed_at": "assessment.timestamp",
                        "campaign_id": "eligible.campaign.id",
                        "control_group_type": "eligible.controlGroupType",
                        "goal_id": "eligible.goal.id",
                        "goal_type": "eligible.goal.type",
                    },
                ),
            ),
        ),
        FlatView(
            "goals",
            "One row for each goal that a visitor achieved.",
            (
                Rows(
                    "goal_achieved",
                    {"goal": "achievedGoals"},
                    {
                        "achievement_id": "goal.id",
                        "achieved_at": "goal.timestamp",
                        "goal_id": "goal.campaignGoalId",
                        "goal_revision": "goal.campaignGoalRevision",
                        "goal_type": "goal.campaignGoalType",
                        "goal_kind": "goal.goalMetaData.type",
                        "url": "goal.goalMetaData.urlGoalMetadata.url",
                        "order_id": "goal.goalMetaData.purchaseMetadata.orderId",
                        "order_total": "goal.goalMetaData.purchaseMetadata.total",
                        "pages_viewed": "goal.goalMetaData.reduceAbandonmentGoalMetadata.numberOfPages",
                        "engagement_id": "goal.goalMetaData.increaseInteractionGoalMetadata.engagement.id",
                        "campaign_id": "goal.goalMetaData.increaseInteractionGoalMetadata.campaign.id",
                        "lead_id": "goal.goalMetaData.leadMetadata.leadId",
                        "lead_value": "goal.goalMetaData.leadMetadata.value",
                        "service_id": "goal.goalMetaData.serviceActivityMetadata.serviceId",
                    },
                ),
            ),
        ),
        FlatView(
            "purchases",
            "One row for each purchase that the website reported. A website may report one order several times.",
            (
                _attributes(
                    "purchase",
                    {
                        "order_id": "orderId",
                        "total": "total",
                        "cart_total": "cart.total",
                        "num_items": "cart.numItems",
                    },
                ),
            ),
        ),
        FlatView(
            "carts",
            "One row for each cart that the website reported. A website may report one cart many times.",
            (_attributes("cart", {"total": "total", "num_items": "numItems"}),),
        ),
        FlatView(
            "products",
            "One row for each product in a purchase, in a cart, or viewed, as the website reported it.",
            (
                _attributes(
                    "purchase",
                    {"order_id": "orderId", "list_total": "total", **PRODUCT},
                    lists={"line": "cart.products"},
                    listed_in="purchase",
                ),
                _attributes(
                    "cart",
                    {"order_id": "", "list_total": "total", **PRODUCT},
                    lists={"line": "products"},
                    listed_in="cart",
                ),
                _attributes(
                    "viewedProduct",
                    {"order_id": "", "list_total": "", **PRODUCT},
                    lists={"line": "products"},
                    listed_in="view",
                ),
            ),
            {
                "listed_in": "Where the product was listed: purchase, cart or view.",
                "order_id": "The order of a purchase, otherwise null.",
                "list_total": "The total of the purchase or of the cart, otherwise null.",
            },
        ),
        FlatView(
            "customers",
            "One row for each report of what the website knows about a customer.",
            (
                _attributes(
                    "customerInfo",
                    {
                        "customer_id": "customerId",
                        "customer_type": "customerType",
                        "customer_status": "customerStatus",
                        "balance": "balance",
                        "social_id": "socialId",
                        "imei": "imei",
                        "user_name": "userName",
                        "account_name": "accountName",
                        "company_size": "companySize",
                        "role": "role",
                        "last_payment_year": "lastPaymentDate.year",
                        "last_payment_month": "lastPaymentDate.month",
                        "last_payment_day": "lastPaymentDate.day",
                        "registration_year": "registrationDate.year",
                        "registration_month": "registrationDate.month",
                        "registration_day": "registrationDate.day",
                        "store_number": "storeNumber",
                        "store_zip_code": "storeZipCode",
                        "is_authenticated": "isAuthenticated",
                        "conversation_id": "authenticatedConversationId",
                    },
                ),
            ),
        ),
        FlatView(
            "personal_info",
            "One row for each report of personal details. `contacts` is a list of e-mail addresses and phone numbers.",
            (
                _attributes(
                    "personalInfo",
                    {
                        "name": "name",
                        "surname": "surname",
                        "gender": "gender",
                        "company": "company",
                        "age_in_years": "customerAge.customerAgeInYears",
                        "year_of_birth": "customerAge.customerYearOfBirth",
                        "month_of_birth": "customerAge.customerMonthOfBirth",
                        "day_of_birth": "customerAge.customerDateOfBirth",
                        "contacts": "contacts",
                        "is_authenticated": "isAuthenticated",
                        "conversation_id": "authenticatedConversationId",
                    },
                ),
            ),
        ),
        FlatView(
            "leads",
            "One row for each lead that the website reported.",
            (_attributes("lead", {"lead_id": "leadId", "topic": "topic", "value": "value"}),),
        ),
        FlatView(
            "service_activities",
            "One row for each service activity that the website reported.",
            (
                _attributes(
                    "serviceActivity",
                    {"service_id": "serviceId", "topic": "topic", "category": "category", "status": "status"},
                ),
            ),
        ),
        FlatView(
            "errors",
            "One row for each error that the website reported.",
            (
                _attributes(
                    "visitorError",
                    {
                        "context_id": "contextId",
                        "message": "message",
                        "code": "code",
                        "level": "level",
                        "resolved": "resolved",
                    },
                ),
            ),
        ),
        FlatView(
            "marketing_campaigns",
            "One row for each report of the marketing campaign that brought the visitor.",
            (
                _attributes(
                    "marketingCampaignInfo",
                    {
                        "campaign_id": "campaignId",
                        "affiliate": "affiliate",
                        "originating_channel": "originatingChannel",
                    },
                ),
            ),
        ),
    )
}
"""Every flat view by name."""
