"""What the generated account offers: products, and campaigns with engagements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from wsparquet.generate import vocabulary as words

__all__ = ["CAMPAIGNS", "PRODUCTS", "Campaign", "Cart", "Engagement", "Fixed", "Product", "make_campaign"]


@dataclass(eq=False)
class Fixed:
    """Something whose facts are the same wherever it occurs.

    ``seed``: decides the facts. ``name``: a part of the names of its slots, unique within a visit. ``facts``: the
    values that were made from the seed, by struct.
    """

    seed: int
    name: str
    facts: dict[Any, Any] = field(default_factory=dict, repr=False, kw_only=True)


@dataclass(eq=False)
class Engagement(Fixed):
    """An engagement.

    ``id``: a number, or a slot for it. ``accepted``: the percentage of impressions that are accepted.
    """

    id: int | str
    accepted: int


@dataclass(eq=False)
class Campaign(Fixed):
    """A campaign and its engagements. ``id``, ``goal``: numbers, or slots for them."""

    id: int | str
    goal: int | str
    engagements: tuple[Engagement, ...]


@dataclass(frozen=True)
class Product:
    """A product. ``cents``: the price, or the name of the slot that contains the price."""

    name: str
    category: str
    sku: str
    cents: int | str

    @property
    def price(self) -> float | str:
        """The price as a number in JSON. Avro writes an integral double without a fraction."""
        if isinstance(self.cents, str):
            return f"{{{{#{self.cents}}}}}"
        return self.cents // 100 if self.cents % 100 == 0 else self.cents / 100


@dataclass(frozen=True)
class Cart:
    """The products in a cart with their quantities, and the number of the order that it may become."""

    lines: tuple[tuple[Product, int], ...]
    order: str

    @property
    def items(self) -> int:
        """The number of items."""
        return sum(quantity for _, quantity in self.lines)

    @property
    def total(self) -> float | str:
        """The sum of the prices, or a slot that computes the sum if any of the prices is a slot, too."""
        terms = "_".join(f"{quantity}x{product.cents}" for product, quantity in self.lines)
        if any(isinstance(product.cents, str) for product, _ in self.lines):
            return f"{{{{#sum_{terms}}}}}"
        cents = sum(quantity * int(product.cents) for product, quantity in self.lines)
        return cents // 100 if cents % 100 == 0 else cents / 100


def _products() -> list[Product]:
    sizes = ("S", "M", "L", "XL", "XXL")
    return [
        Product(
            f"{name} {size}", category, f"{100_210 + 17 * number}-{10 + step}", cents + 500 * step * (1 + number % 3)
        )
        for step, size in enumerate(sizes)
        for number, (name, category, cents) in enumerate(words.PRODUCTS)
    ]


# How many percent of a campaign's impressions are accepted: a third on average.
_ACCEPTED = (12, 18, 25, 30, 33, 36, 41, 48, 54)


def make_campaign(seed: int, name: str, id_of: Callable[[int, int], int | str], accepted: Sequence[int]) -> Campaign:
    """Return a campaign with one engagement for each percentage.

    ``id_of`` makes an identifier from a kind and a number; the kind is 0 for the campaign, 1 for an engagement, 2 for
    the goal.
    """
    engagements = tuple(
        Engagement(seed * 8 + number + 1, f"{name}e{number}", id_of(1, number), percent)
        for number, percent in enumerate(accepted)
    )
    return Campaign(seed * 8, name, id_of(0, 0), id_of(2, 0), engagements)


def _campaign(number: int) -> Campaign:
    def identifier(kind: int, engagement: int) -> int:
        if kind == 1:
            return 153_250_510 + 1_310 * (2 * number + engagement)
        return 129_082_910 + 1_310 * number if kind == 0 else 126_222_610 + 1_310 * (number % 12)

    percentages = [_ACCEPTED[(number + step) % len(_ACCEPTED)] for step in range(1 + number % 2)]
    return make_campaign(number, f"k{number}", identifier, percentages)


PRODUCTS = _products()
"""All products, the most popular first."""
CAMPAIGNS = tuple(_campaign(number) for number in range(18))
"""All campaigns."""
