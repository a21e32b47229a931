"""The random choices of one visit, and the scene that its values share: who visits, which page, which campaign."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

from wsparquet.generate import vocabulary as words
from wsparquet.generate.offers import CAMPAIGNS, PRODUCTS, Campaign, Cart, Engagement, Fixed, Product, make_campaign
from wsparquet.generate.site import ARRIVALS, SITES, Arrival, Page, Site, site_address, words_of
from wsparquet.generate.vocabulary import Device, Place

__all__ = ["Draw", "Person", "Scene", "make_person", "spread"]

T = TypeVar("T")
_OLDER_RATE = 0.2
# The fractions of the golden ratio and of the roots of 2, 3, and 7: their multiples are spread evenly.
_SPREADS = (0.618033988749895, 0.414213562373095, 0.732050807568877, 0.645751311064591)
_SEGMENTS: dict[str | None, int] = {"consumer": 62, "vip": 14, "b2b": 12, None: 12}
# The minimum and the maximum number of products in a cart, and the maximum quantity of each product.
_CARTS: dict[str | None, tuple[int, int, int]] = {"vip": (3, 6, 2), "b2b": (2, 3, 15)}


@dataclass(eq=False)
class Person(Fixed):
    """A visitor, and the facts that never change about the visitor.

    ``segment``: its customer type, None if it has none.
    """

    place: Place
    device: Device
    site: Site
    segment: str | None

    @property
    def language(self) -> str:
        """The language of the pages that the visitor sees."""
        return self.place.language

    @property
    def address(self) -> str:
        """The start of the URLs that the visitor sees."""
        return site_address(self.site, self.language)


@dataclass
class Scene:
    """The things that the values of a record describe.

    ``planned``: the elements of lists, each as changes of the scene.

    ``shown``: the type and state of an impression, None outside of impressions. ``branch``: the branch of a union.
    """

    person: Person
    arrival: Arrival
    search: str
    page: Page
    campaign: Campaign
    engagement: Engagement
    product: Product
    quantity: int
    cart: Cart
    planned: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    shown: tuple[str, str] | None = None
    instance: str = "1"
    branch: str | None = None
    topic: str = words.TOPICS[0]
    category: str = words.CATEGORIES[0]
    pages_seen: int = 1
    goal: int = 126_222_610

    def holder(self, owner: str) -> Fixed | None:
        """Return the holder of a struct's facts, if the facts are the same in each record."""
        match owner:
            case "GEO" | "Customer Info" | "Personal Info":
                return self.person
            case "Engagement":
                return self.engagement
            case "Campaign":
                return self.campaign
        return None


class Draw:
    """The random numbers of one visit, and its scene.

    A draw uses only ``Random.random``, because Python guarantees the same numbers in all versions. A ``full`` draw
    omits nothing: it has no nulls, and uses the branches of a union one after the other. ``distinct``: the share of
    values that are slots, and thus differ in every record. ``older``: whether structs lack the fields of later
    versions. ``at``: the place of the visit in its pool, from 0 to 1, which decides the kind of the visit.
    """

    __slots__ = ("_made", "at", "distinct", "full", "older", "random", "scene", "turn")

    def __init__(self, rng: Random, *, full: bool = False, distinct: float = 0.0, person: Person | None = None) -> None:
        self.random = rng.random
        self.full = full
        self.distinct = distinct
        self.turn = 0
        self.at: float | None = None
        self._made = 0
        self.older = self.chance(_OLDER_RATE)
        self.scene = self._scene(person or make_person(self, seed=self.below(1 << 32)))

    def aside(self, seed: int) -> Draw:
        """Return a draw of the same persons and campaigns, with separate random numbers."""
        other = copy(self)
        other.scene = replace(self.scene, shown=None, planned={})
        other.random = Random(seed).random
        return other

    def below(self, end: int) -> int:
        """Return an integer from 0 to ``end - 1``."""
        return int(self.random() * end)

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, each with the same probability."""
        return options[int(self.random() * len(options))]

    def weighted(self, options: dict[T, int], *, at: float | None = None) -> T:
        """Return one of the options, with probabilities in proportion to their weights.

        ``at``: a number from 0 to 1 that decides instead of chance.
        """
        left = int((self.random() if at is None else at) * sum(options.values()))
        for option, weight in options.items():
            left -= weight
            if left < 0:
                return option
        raise ValueError("expected a positive weight, found none")

    def chance(self, rate: float) -> bool:
        """Return True with this probability; always False in a full draw."""
        return self.random() < rate and not self.full

    def fresh(self) -> bool:
        """Return whether a value should differ in every record."""
        return self.distinct > 0 and self.random() < self.distinct

    def number(self) -> int:
        """Return the next of the numbers that name the slots of the visit."""
        self._made += 1
        return self._made

    def next_branch(self, branches: Sequence[T]) -> T:
        """Return a branch of a union: the next one in a full draw, otherwise a random one."""
        self.turn += 1
        return branches[(self.turn - 1) % len(branches)] if self.full else self.pick(branches)

    # --- Parts of the scene -------------------------------------------------------------------------------------------

    def product(self) -> Product:
        """Return a product of the catalog (popular products more often), or a product that no other visit has."""
        known = PRODUCTS[int(self.random() * self.random() * len(PRODUCTS))]
        if not self.fresh():
            return known
        number = self.number()
        name, sku = f"{known.name} {{{{d6@p{number}}}}}", f"{{{{d6@p{number}}}}}-{{{{d2@p{number}}}}}"
        return Product(name, known.category, sku, f"price@p{number}")

    def campaign(self) -> Campaign:
        """Return a campaign of the account, or a campaign that no other visit has."""
        if not self.fresh():
            return self.pick(CAMPAIGNS)
        name = f"c{self.number()}"
        return make_campaign(self.below(1 << 40), name, lambda *key: f"{{{{#d9@{name}i{key[0]}{key[1]}}}}}", (33, 33))

    def cart(self) -> Cart:
        """Return a cart that is typical of the visitor's segment."""
        least, most, each = _CARTS.get(self.scene.person.segment, (1, 2, 2))
        count = least + self.below(most - least + 1)
        lines = tuple((self.product(), 1 + self.below(each)) for _ in range(count))
        return Cart(lines, f"ORD-{{{{d9@o{self.number()}}}}}")

    def _scene(self, person: Person) -> Scene:
        arrivals = {arrival: arrival.weight for arrival in ARRIVALS if arrival.engine or not self.full}
        campaign = self.campaign()
        product = self.product()
        return Scene(
            person=person,
            arrival=self.weighted(arrivals),
            search=self.pick(words_of(person.language, "search")),
            page=Page("home", f"{person.address}/", "", ("home",)),
            campaign=campaign,
            engagement=self.pick(campaign.engagements),
            product=product,
            quantity=1,
            cart=Cart(((product, 1),), "ORD-{{d9}}"),
            topic=self.pick(words.TOPICS),
            category=self.pick(words.CATEGORIES),
        )


def spread(number: int, dimension: int = 0) -> float:
    """Return a value from 0 to 1 for a number.

    Consecutive numbers are spread evenly, so that few of them show all kinds.
    """
    return (number + 0.5) * _SPREADS[dimension] % 1.0


def make_person(draw: Draw, *, seed: int, number: int | None = None) -> Person:
    """Return a person.

    ``seed`` decides the facts that are not drawn here. ``number``: the person's number in a pool.
    """
    dimensions = range(len(_SPREADS))
    at = [None if number is None else spread(number, each) for each in dimensions]
    place = draw.weighted({place: place.weight for place in words.PLACES}, at=at[0])
    device = draw.weighted({device: device.weight for device in words.DEVICES}, at=at[1])
    site = draw.weighted({number: site.weight for number, site in enumerate(SITES)}, at=at[2])
    segment = draw.weighted(_SEGMENTS, at=at[3])
    return Person(seed, "p", place, device, SITES[site], segment)
