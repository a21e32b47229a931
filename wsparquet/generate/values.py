"""Makes realistic values for a field, depending on its name, and determines the rate of nulls.

A value may contain slots, ``{{name}}``, which the module ``templates`` fills each time it uses the record. A slot for a
complete number is written ``{{#name}}``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

import pyarrow as pa

from wsparquet.generate import vocabulary as words
from wsparquet.schema.annotations import annotations_of

__all__ = ["Draw", "Scalar", "ValueMaker", "list_size", "null_rate", "value_maker"]

T = TypeVar("T")
Scalar = str | int | float | bool


class Draw:
    """The random numbers of one record, and the choices that its values share.

    It uses only ``Random.random``, because Python guarantees the same numbers in all versions. A ``full`` draw omits
    nothing: it has no nulls, and uses the branches of a union one after the other.
    """

    __slots__ = ("device", "full", "place", "random", "site", "turn")

    def __init__(self, rng: Random, *, full: bool = False) -> None:
        self.random = rng.random
        self.full = full
        self.turn = 0
        self.place = self.pick(words.PLACES)
        self.device = self.pick(words.DEVICES)
        self.site = self.pick(words.SITES)

    def below(self, end: int) -> int:
        """Return an integer from 0 to ``end - 1``."""
        return int(self.random() * end)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, each with the same probability."""
        return options[int(self.random() * len(options))]

    def chance(self, rate: float) -> bool:
        """Return True with this probability; always False in a full draw."""
        return self.random() < rate and not self.full

    def next_branch(self, branches: Sequence[T]) -> T:
        """Return a branch of a union: the next one in a full draw, otherwise a random one."""
        self.turn += 1
        return branches[(self.turn - 1) % len(branches)] if self.full else self.pick(branches)


ValueMaker = Callable[[Draw], Scalar]


# --- Makers -----------------------------------------------------------------------------------------------------------


def _any_of(*options: Scalar) -> ValueMaker:
    return lambda draw: draw.pick(options)


def _known_id(first: int, count: int) -> ValueMaker:
    # An account has only a few campaigns, goals, and profiles, so many records have the same ids.
    return lambda draw: first + 1_310 * draw.below(count)


def _below(end: int, *, first: int = 0) -> ValueMaker:
    return lambda draw: first + draw.below(end)


def _money(limit: int) -> ValueMaker:
    # Avro writes an integral double without a fraction if the value was originally an integer.
    return lambda draw: draw.below(limit) if draw.random() < 0.1 else draw.below(limit * 100) / 100


def _url(draw: Draw) -> str:
    url = draw.site + draw.pick(words.PATHS)
    query = draw.pick(
        ("", "", "?sid={{hex8}}", "?utm_source=google&utm_medium=cpc&gclid={{hex24}}", "?q={{d4}}&page={{d1}}")
    )
    return url + query


def _referrer(draw: Draw) -> str:
    if draw.random() < 0.3:
        return ""
    if draw.random() < 0.3:
        return "https://www.google.com/search?q=" + draw.pick(words.SEARCHES).replace(" ", "+")
    return draw.site + draw.pick(words.PATHS)


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
    "iPV4": _any_of("{{octet}}.{{octet}}.{{octet}}.{{octet}}"),
    "iPV6": _any_of("2001:db8:{{hex4}}:{{hex4}}::{{hex4}}"),
    "country": lambda draw: draw.place.country,
    "countryCode": lambda draw: draw.place.code,
    "GEO.state": lambda draw: draw.place.state or "NA",
    "city": lambda draw: draw.place.city,
    "org": lambda draw: draw.place.isp + " Ltd.",
    "isp": lambda draw: draw.place.isp,
    "url": _url,
    "referrerUrl": _referrer,
    "sections": _any_of(*words.SECTIONS),
    "userAgent": lambda draw: draw.device.agent,
    "deviceOS": lambda draw: draw.device.system,
    "deviceFamily": lambda draw: draw.device.family,
    "searchEngine": _any_of("Google", "Bing", "Yahoo", "DuckDuckGo"),
    "searchEngineKey": _any_of(*words.SEARCHES),
    "channel": _any_of("1", "1", "100", "4"),
    "skillName": _any_of(*words.SKILLS),
    "Skill.name": _any_of(*words.SKILLS),
    "availabilityPolicy": _any_of("1", "1", "2"),
    "Campaign.type": _any_of("0", "1", "5"),
    "engagementInstanceId": _any_of("1", "2", "3", "{{d9}}"),
    "GoalAchieved.id": _any_of("{{uuid}}"),
    "orderId": _any_of("ORD-{{d9}}"),
    "topic": _any_of(*words.TOPICS),
    "leadId": _any_of("LEAD{{d6}}"),
    "category": _any_of(*words.CATEGORIES),
    "serviceId": _any_of("SV-{{hex8}}", "{{d6}}"),
    "product.name": _any_of(*words.PRODUCTS),
    "sku": _any_of("{{d6}}-{{d2}}", "XYZ{{d4}}"),
    "authenticatedConversationId": _any_of("{{uuid}}"),
    "customerStatus": _any_of("agentManager", "gold", "new", "cancelled"),
    "customerType": _any_of("vip", "b2b", "consumer"),
    "customerId": _any_of("Account: {{d9}}", "{{hex24}}"),
    "socialId": _any_of("{{d9}}{{d6}}"),
    "imei": _any_of("35{{d9}}{{d4}}"),
    "userName": _email,
    "accountName": _any_of("Acme Inc.", "Bjørn & Søn", "Contoso"),
    "role": _any_of("buyer", "administrator", "broker"),
    "storeNumber": _any_of("{{d4}}"),
    "storeZipCode": _any_of("1{{d4}}", "SW1A 1AA"),
    "Personal Info.name": _any_of(*words.FIRST_NAMES),
    "surname": _any_of(*words.LAST_NAMES),
    "gender": _any_of("MALE", "FEMALE", "OTHER"),
    "company": _any_of("Acme Inc.", "Bjørn & Søn", "Contoso"),
    "email": _email,
    "phone": _any_of("+1 212 555 {{d4}}", "+41 44 {{d6}}"),
    "VisitorError.contextId": _any_of("payment", "login", "{{hex8}}"),
    "message": _any_of(*words.ERRORS),
    "affiliate": _any_of("partner-{{d2}}", "newsletter"),
    "campaignId": _any_of("{{d9}}", "spring-sale"),
    "schemaVersion": _any_of("1.0.0.22"),
}
_INTEGERS: dict[str, ValueMaker] = {
    "id": _known_id(126_222_610, 60),
    "Campaign.id": _known_id(129_082_910, 25),
    "Engagement.id": _known_id(153_250_510, 40),
    "visitor profile.id": _known_id(156_579_410, 30),
    "campaignGoalId": _known_id(126_222_610, 12),
    "campaignGoalRevision": _below(40),
    "revision": _below(120, first=1),
    "skillId": _any_of(-1, -1, 11, 12, 17, 1_024),
    "interactionType": _any_of(1, 5),
    "quantity": _below(5, first=1),
    "numItems": _below(12),
    "numberOfPages": _below(20, first=1),
    "year": _below(7, first=2010),
    "month": _below(12, first=1),
    "day": _below(28, first=1),
    "companySize": _any_of(10, 250, 50_000),
    "customerAgeInYears": _below(70, first=18),
    "customerYearOfBirth": _below(70, first=1930),
    "customerMonthOfBirth": _below(12, first=1),
    "customerDateOfBirth": _below(28, first=1),
    "code": _any_of(404, 500, 100_004, 9_007_199_254_740_993),
}
_DOUBLES: dict[str, ValueMaker] = {"price": _money(300), "balance": _money(20_000), "value": _money(900)}


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

    It is chosen by struct and name, by name, or by type and documented values. A list element counts as a field with
    the list's name.
    """
    named, fallback = _fallback(field)
    return named.get(f"{owner}.{field.name}") or named.get(field.name) or fallback


# --- Rates and sizes --------------------------------------------------------------------------------------------------

_NULL_RATES = {
    "visitId": 0.0,
    "visitorId": 0.0,
    "contextId": 0.85,
    "timestamp": 0.0,
    "url": 0.0,
    "iPV4": 0.01,
    "iPV6": 0.9,
    "state": 0.3,
    "org": 0.5,
    "userAgent": 0.01,
    "sections": 0.05,
    "searchEngine": 0.7,
    "searchEngineKey": 0.8,
    "surveySkills": 0.8,
    "renderingType": 0.7,
    "campaign": 0.02,
    "engagement": 0.02,
    "engagements": 0.02,
    "data": 0.01,
    "goalMetaData": 0.05,
    "products": 0.05,
    "product": 0.02,
    "Customer Info": 0.5,
    "Personal Info": 0.4,
}
_LIST_SIZES = {
    "navigationData": (1, 8),
    "eligibilityData": (1, 3),
    "eligibleCampaigns": (1, 3),
    "engagements": (1, 2),
    "impressions": (1, 4),
    "achievedGoals": (1, 2),
    "engagementAttributes": (1, 4),
    "products": (1, 4),
    "sections": (0, 2),
    "visitorBehaviors": (0, 2),
    "visitorProfiles": (0, 2),
}


def null_rate(owner: str, name: str) -> float:
    """Return the rate of nulls of a field: that for its name, that for its struct, or the default."""
    return _NULL_RATES.get(name, _NULL_RATES.get(owner, 0.12))


def list_size(name: str) -> tuple[int, int]:
    """Return the minimum and maximum length of a list. Some lists are empty at random regardless."""
    return _LIST_SIZES.get(name, (0, 3))
