"""Makes realistic values for a field, depending on its name, and determines the rate of nulls.

A value may contain slots, ``{{name}}``, which the module ``slots`` fills each time it uses the record. A slot for a
complete number is written ``{{#name}}``.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from wsparquet.generate import vocabulary as words
from wsparquet.generate.draw import Draw
from wsparquet.generate.frequencies import present
from wsparquet.schema.annotations import annotations_of

__all__ = ["Draw", "Scalar", "ValueMaker", "list_size", "null_rate", "value_maker"]

Scalar = str | int | float | bool
ValueMaker = Callable[[Draw], Scalar | None]
"""Makes a value. None stands for null if the scene, not chance, decides that there is no value."""


# --- Makers -----------------------------------------------------------------------------------------------------------


def _any_of(*options: Scalar) -> ValueMaker:
    return lambda draw: draw.pick(options)


def _or_fresh(fresh: str, *options: Scalar) -> ValueMaker:
    """Return a maker of one of the options or, as often as the option ``distinct`` says, of a slot."""
    return lambda draw: fresh if draw.fresh() else draw.pick(options)


def _marked(*options: str) -> ValueMaker:
    """Return a maker of one of the options, which adds a unique mark as often as the option ``distinct`` says."""
    return lambda draw: draw.pick(options) + (" #{{hex8}}" if draw.fresh() else "")


def _known_id(first: int, count: int) -> ValueMaker:
    # An account has only a few profiles and behaviors, so many records have the same ids.
    return lambda draw: "{{#d9}}" if draw.fresh() else first + 1_310 * draw.below(count)


def _below(end: int, *, first: int = 0) -> ValueMaker:
    return lambda draw: first + draw.below(end)


def _revision(end: int) -> ValueMaker:
    return lambda draw: "{{#d6}}" if draw.fresh() else 1 + draw.below(end)


def _money(limit: int) -> ValueMaker:
    def make(draw: Draw) -> Scalar:
        if draw.fresh():
            return "{{#money}}"
        # Avro writes an integral double without a fraction if the value was originally an integer.
        return draw.below(limit) if draw.random() < 0.1 else draw.below(limit * 100) / 100

    return make


def _search_words(draw: Draw) -> str | None:
    return draw.scene.search if draw.scene.arrival.engine else None


def _state(draw: Draw) -> str:
    return draw.scene.shown[1] if draw.scene.shown else draw.pick(("content", "chatonline"))


def _email(draw: Draw) -> str:
    return (
        draw.pick(("brooke", "j.oneill", "info", "zoë", "sales+web"))
        + "{{d4}}@"
        + draw.pick(("blinds.com", "example.org"))
    )


_TEXTS: dict[str, ValueMaker] = {
    "visitId": _any_of("{{visit}}"),
    "visitorId": _any_of("{{visitor}}"),
    "contextId": _any_of("{{context}}"),
    "iPV4": _any_of("{{octet~1}}.{{octet~2}}.{{octet~3}}.{{octet~4}}"),
    "iPV6": _any_of("2001:db8:{{hex4~1}}:{{hex4~2}}::{{hex4~3}}"),
    "country": lambda draw: draw.scene.person.place.country,
    "countryCode": lambda draw: draw.scene.person.place.code,
    "GEO.state": lambda draw: draw.scene.person.place.state or "NA",
    "city": lambda draw: draw.scene.person.place.city,
    "org": lambda draw: draw.scene.person.place.isp + " Ltd.",
    "isp": lambda draw: draw.scene.person.place.isp,
    "url": lambda draw: draw.scene.page.url,
    "referrerUrl": lambda draw: draw.scene.page.referrer,
    "sections": lambda draw: draw.pick(draw.scene.page.sections),
    "userAgent": lambda draw: draw.scene.person.device.agent,
    "deviceOS": lambda draw: draw.scene.person.device.system,
    "deviceFamily": lambda draw: draw.scene.person.device.family,
    "siteControlGroup": _any_of("NA", "NA", "TEST", "TEST", "TEST", "TEST", "TEST", "CONTROL"),
    "searchEngine": lambda draw: draw.scene.arrival.engine,
    "searchEngineKey": _search_words,
    "channel": _any_of("1", "1", "100", "4"),
    "skillName": _marked(*words.SKILLS),
    "Skill.name": _marked(*words.SKILLS),
    "availabilityPolicy": _any_of("1", "1", "2"),
    "Campaign.type": _any_of("0", "1", "5"),
    "engagementInstanceId": lambda draw: draw.scene.instance,
    "impressionType": lambda draw: draw.scene.shown[0] if draw.scene.shown else "Show",
    "Impression.state": _state,
    "GoalAchieved.id": _any_of("{{uuid}}"),
    "orderId": lambda draw: draw.scene.cart.order,
    "topic": lambda draw: draw.scene.topic,
    "leadId": _any_of("LEAD{{d6@lead}}"),
    "category": lambda draw: draw.scene.category,
    "serviceId": _any_of("SV-{{hex8@service}}"),
    "product.name": lambda draw: draw.scene.product.name,
    "product.category": lambda draw: draw.scene.product.category,
    "sku": lambda draw: draw.scene.product.sku,
    "authenticatedConversationId": _any_of("{{uuid}}"),
    "customerStatus": _any_of("gold", "silver", "new", "cancelled", "agentManager"),
    "customerType": lambda draw: draw.scene.person.segment,
    "customerId": _any_of("Account: {{d9}}", "{{hex24}}"),
    "socialId": _any_of("{{d9}}{{d6}}"),
    "imei": _any_of("35{{d9}}{{d4}}"),
    "userName": _email,
    "accountName": _marked("Acme Inc.", "Bjørn & Søn", "Contoso"),
    "role": _any_of("buyer", "administrator", "broker"),
    "storeNumber": _any_of("{{d4}}"),
    "storeZipCode": _any_of("1{{d4}}", "SW1A 1AA"),
    "Personal Info.name": _any_of(*words.FIRST_NAMES),
    "surname": _marked(*words.LAST_NAMES),
    "gender": _any_of("MALE", "FEMALE", "OTHER"),
    "company": _marked("Acme Inc.", "Bjørn & Søn", "Contoso"),
    "email": _email,
    "phone": _any_of("+1 212 555 {{d4}}", "+41 44 {{d6}}"),
    "VisitorError.contextId": _or_fresh("{{hex8}}", "payment", "payment", "login", "address"),
    "message": _marked(*words.ERRORS),
    "affiliate": _or_fresh("partner-{{d6}}", "partner-11", "partner-42", "newsletter"),
    "campaignId": _or_fresh("{{d9}}", "spring-sale", "brand-search", "retargeting"),
    "schemaVersion": _any_of("1.0.0.22"),
}
_INTEGERS: dict[str, ValueMaker] = {
    "id": _known_id(126_222_610, 60),
    "Campaign.id": lambda draw: draw.scene.campaign.id,
    "Engagement.id": lambda draw: draw.scene.engagement.id,
    "Goal.id": lambda draw: draw.scene.campaign.goal,
    "visitor profile.id": _known_id(156_579_410, 30),
    "campaignGoalId": lambda draw: draw.scene.goal,
    "campaignGoalRevision": _revision(40),
    "revision": _revision(120),
    "skillId": _or_fresh("{{#d6}}", -1, -1, 11, 12, 17, 1_024),
    "interactionType": _any_of(1, 5),
    "quantity": lambda draw: draw.scene.quantity,
    "numItems": lambda draw: draw.scene.cart.items,
    "numberOfPages": lambda draw: draw.scene.pages_seen,
    "year": _below(7, first=2010),
    "month": _below(12, first=1),
    "day": _below(28, first=1),
    "companySize": _or_fresh("{{#d4}}", 10, 250, 50_000),
    "customerAgeInYears": _below(70, first=18),
    "customerYearOfBirth": _below(70, first=1930),
    "customerMonthOfBirth": _below(12, first=1),
    "customerDateOfBirth": _below(28, first=1),
    "code": _or_fresh("{{#d9}}", 404, 500, 100_004, 9_007_199_254_740_993),
}
_DOUBLES: dict[str, ValueMaker] = {
    "price": lambda draw: draw.scene.product.price,
    "total": lambda draw: draw.scene.cart.total,
    "balance": _money(20_000),
    "value": _any_of("{{#money@lead}}"),
}


def _fallback(field: pa.Field) -> tuple[dict[str, ValueMaker], ValueMaker]:
    if pa.types.is_timestamp(field.type):
        return {"sessionStartTime": _any_of("{{#start}}")}, _any_of("{{#ms}}")
    if pa.types.is_boolean(field.type):
        return {}, _any_of(False, True)
    if pa.types.is_floating(field.type):
        return _DOUBLES, _any_of("{{#money}}")
    if pa.types.is_integer(field.type):
        return _INTEGERS, _below(8)
    values = annotations_of(field).values
    return _TEXTS, _any_of(*values) if values else _any_of(f"{field.name} {{{{d4}}}}")


def value_maker(owner: str, field: pa.Field) -> ValueMaker:
    """Return a function that makes the values of a scalar field.

    The function is chosen by struct and name, by name, or by type and documented values. A list element counts as a
    field with the list's name.
    """
    named, fallback = _fallback(field)
    return named.get(f"{owner}.{field.name}") or named.get(field.name) or fallback


# --- Rates and sizes --------------------------------------------------------------------------------------------------

_LIST_SIZES = {
    "eligibleCampaigns": (1, 3),
    "engagements": (1, 2),
    "products": (1, 4),
    "sections": (1, 1),
    "visitorBehaviors": (0, 2),
    "visitorProfiles": (0, 2),
}


def null_rate(owner: str, name: str) -> float:
    """Return the rate of nulls of a field."""
    return 1.0 - present(owner, name)


def list_size(name: str) -> tuple[int, int]:
    """Return the minimum and maximum length of a list. Some lists are empty at random regardless."""
    return _LIST_SIZES.get(name, (0, 3))
