"""Tells what happens in a visit: pages that follow each other by links, impressions, carts, purchases, and goals.

The result is a list of steps, one for each record, in the order of time. A step has the elements of the record's lists
as changes of the scene, from which ``shapes`` makes the values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wsparquet.generate.draw import Draw
from wsparquet.generate.offers import Campaign, Cart, Engagement, Product
from wsparquet.generate.site import LANDINGS, LINKS, Page, path_of, sections_of, words_of

__all__ = ["Step", "full_story", "story"]

Change = dict[str, Any]

_BROWSING = frozenset({"home", "category", "search", "product", "reviews", "help"})
_CHECKOUT = ("cart", "checkout1", "checkout2", "checkout3", "done")
_GOALS = {"browse": "reduceAbandonmentGoalMetadata", "help": "serviceActivityMetadata", "lead": "leadMetadata"}
_STATES = {"content": 5, "chatonline": 4, "chatoffline": 1}


@dataclass(frozen=True)
class Step:
    """A record of a table: the elements of its lists, each as changes of the scene."""

    table: str
    planned: dict[str, list[Change]] = field(default_factory=dict)


def _engagements(campaign: Campaign) -> Change:
    return {"campaign": campaign, "planned": {"engagements": [{"engagement": each} for each in campaign.engagements]}}


def _cart(cart: Cart) -> Change:
    lines = [{"product": product, "quantity": quantity} for product, quantity in cart.lines]
    return {"cart": cart, "planned": {"products": lines}}


class _Story:
    """Collects the steps of one visit."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._person = draw.scene.person
        self._intent = draw.weighted(self._person.site.intents, at=draw.at)
        self._pace = 1 + draw.below(3)
        self._pages: list[Page] = []
        self._unreported: list[Page] = []
        self._attributes: list[Change] = []
        self._campaign = draw.campaign()
        self._product: Product = draw.scene.product
        self._failed = False
        self.steps: list[Step] = [Step("session_info")]

    # --- Pages --------------------------------------------------------------------------------------------------------

    def _visit(self, kind: str) -> None:
        draw, person = self._draw, self._person
        if kind in ("product", "category", "search"):
            self._product = draw.product()
        path = self._path(kind)
        if not self._pages:
            path += draw.scene.arrival.query
        elif draw.fresh():
            path += ("&" if "?" in path else "?") + f"sid={{{{hex8@s{draw.number()}}}}}"
        page = Page(kind, person.address + path, self._referrer(), sections_of(kind, person.language))
        self._pages.append(page)
        self._unreported.append(page)

    def _path(self, kind: str) -> str:
        draw, language = self._draw, self._person.language
        if kind == "search":
            return "/search?q=" + draw.pick(words_of(language, "search")).replace(" ", "+")
        choices = words_of(language, kind)
        return draw.pick(choices) if choices else path_of(kind, sku=self._product.sku, turn=len(self._pages))

    def _referrer(self) -> str:
        if self._pages:
            return self._pages[-1].url
        scene = self._draw.scene
        return scene.arrival.referrer.replace("%s", scene.search.replace(" ", "+"))

    def _browse(self, pages: int) -> None:
        """Follow links for a number of pages, the landing page included."""
        for _ in range(pages):
            if not self._pages:
                self._visit("login" if self._intent == "account" else self._draw.weighted(LANDINGS))
            else:
                links = LINKS[self._pages[-1].kind]
                self._visit(self._draw.weighted({kind: weight for kind, weight in links.items() if kind in _BROWSING}))
            self._after_page()

    def _go(self, kind: str) -> None:
        """Follow the shortest chain of links to a kind of page."""
        for each in _route(self._pages[-1].kind, kind):
            self._visit(each)
            self._after_page()

    def _after_page(self) -> None:
        draw = self._draw
        kind = self._pages[-1].kind
        if kind == "product" and draw.chance(0.3):
            quantity = [{"product": self._product, "quantity": 1}]
            self._attributes.append({"branch": "viewedProduct", "planned": {"products": quantity}})
        if len(self._unreported) >= self._pace:
            self._report()
            self._offer()

    # --- Records ------------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        """Add records for the pages and attributes that are not in a record yet."""
        if self._unreported:
            pages: list[Change] = [{"page": page} for page in self._unreported]
            self.steps.append(Step("navigation", {"navigationData": pages}))
            self._unreported = []
        if self._attributes:
            self.steps.append(Step("engagement_attributes", {"engagementAttributes": self._attributes}))
            self._attributes = []

    def _offer(self) -> None:
        """Check which campaigns apply, and show an engagement of one of them."""
        draw = self._draw
        first = not any(step.table == "eligibility" for step in self.steps)
        if not draw.chance(0.95 if first else 0.45):
            return
        self._campaign = draw.campaign()
        others = [draw.campaign() for _ in range(draw.below(3))]
        campaigns = [_engagements(campaign) for campaign in (self._campaign, *others)]
        assessed: Change = {"planned": {"eligibleCampaigns": campaigns}}
        self.steps.append(Step("eligibility", {"eligibilityData": [assessed]}))
        if draw.chance(0.8):
            self._show(draw.pick(self._campaign.engagements))

    def _show(self, engagement: Engagement) -> None:
        draw = self._draw
        instance = f"{{{{d9@i{draw.number()}}}}}" if draw.random() < 0.5 else str(len(self.steps))
        common: Change = {"campaign": self._campaign, "engagement": engagement, "instance": instance}
        shown = common | {"shown": ("Show", draw.weighted(_STATES))}
        reaction = self._reaction(engagement)
        if reaction is None:
            self.steps.append(Step("impression", {"impressions": [shown]}))
            return
        reacted = common | {"shown": (reaction, draw.weighted(_STATES))}
        if draw.chance(0.4):
            self.steps.append(Step("impression", {"impressions": [shown, reacted]}))
        else:
            self.steps += [Step("impression", {"impressions": [each]}) for each in (shown, reacted)]
        if reaction == "Accept" and draw.chance(0.4):
            self._goal("increaseInteractionGoalMetadata", common)

    def _reaction(self, engagement: Engagement) -> str | None:
        draw = self._draw
        if draw.below(100) < engagement.accepted:
            return "Accept"
        return draw.weighted({None: 5, "Close": 3, "Timeout": 2})

    def _goal(self, branch: str, change: Change | None = None) -> None:
        seen: Change = {"page": self._pages[-1], "pages_seen": len(self._pages)}
        self.steps.append(Step("goal_achieved", {"achievedGoals": [_goal_of(branch) | seen | (change or {})]}))

    def _identify(self) -> None:
        if self._person.segment is None:
            return
        self._attributes.append({"branch": "customerInfo"})
        if self._draw.chance(0.4):
            self._attributes.append({"branch": "personalInfo"})

    # --- Intents ------------------------------------------------------------------------------------------------------

    def tell(self) -> list[Step]:
        draw = self._draw
        if not draw.chance(0.06):
            self.steps.append(Step("geo"))
        self._browse(1)
        if draw.scene.arrival.source in ("ad", "partner") and draw.chance(0.6):
            self._attributes.append({"branch": "marketingCampaignInfo"})
        if draw.chance(0.25):
            self._identify()
        match self._intent:
            case "browse":
                self._browse(1 + draw.below(9))
            case "buy" | "abandon":
                self._shop()
            case "help" | "lead" | "account":
                self._ask()
        self._report()
        if self._intent in _GOALS and draw.chance(0.22):
            self._goal(_GOALS[self._intent])
        return self.steps

    def _shop(self) -> None:
        """Fill a cart, and buy or abandon it."""
        draw = self._draw
        self._browse(1 + draw.below(4))
        if self._pages[-1].kind != "product":
            self._go("product")
        cart = draw.cart()
        self._go("cart")
        self._attributes.append({"branch": "cart"} | _cart(cart))
        last = _CHECKOUT[-1] if self._intent == "buy" else draw.pick(_CHECKOUT[:-1])
        for kind in _CHECKOUT[1 : _CHECKOUT.index(last) + 1]:
            self._go(kind)
            if kind == "checkout1":
                self._identify()
        left = self._intent == "abandon"
        if draw.chance(0.45 if left else 0.08):
            self._attributes.append({"branch": "visitorError"})
        if not left:
            self._attributes.append({"branch": "purchase"} | _cart(cart))
            self._report()
            if draw.chance(0.6):
                self._goal("purchaseMetadata", _cart(cart))
            if draw.chance(0.2):
                self._goal("urlGoalMetadata")

    def _ask(self) -> None:
        """Look for help, for orders, or for an offer, and set the topic of the search."""
        draw = self._draw
        self._go({"help": "help", "lead": "search", "account": "account"}[self._intent])
        if self._intent == "account":
            self._identify()
        self._browse(1 + draw.below(3))
        if draw.chance(0.7):
            self._attributes.append({"branch": "lead" if self._intent == "lead" else "serviceActivity"})
        if draw.chance(0.1):
            self._attributes.append({"branch": "visitorError"})


_GOAL_NUMBERS = {
    "urlGoalMetadata": 0,
    "purchaseMetadata": 1,
    "reduceAbandonmentGoalMetadata": 2,
    "increaseInteractionGoalMetadata": 3,
    "leadMetadata": 4,
    "serviceActivityMetadata": 5,
}
_BRANCHES = (
    "marketingCampaignInfo",
    "customerInfo",
    "personalInfo",
    "viewedProduct",
    "lead",
    "serviceActivity",
    "visitorError",
    "cart",
    "purchase",
)


def _goal_of(branch: str) -> Change:
    return {"branch": branch, "goal": 126_222_610 + 1_310 * _GOAL_NUMBERS[branch]}


def _route(start: str, end: str) -> list[str]:
    """Return the shortest chain of linked kinds of pages from a page to another kind, without the first."""
    routes: list[list[str]] = [[kind] for kind in LINKS[start]]
    for route in routes:
        if route[-1] == end:
            return route
        routes += [[*route, kind] for kind in LINKS[route[-1]] if kind not in route]
    raise ValueError(f"expected links from {start} to {end}, found none")


def story(draw: Draw) -> list[Step]:
    """Return the steps of a visit."""
    return _Story(draw).tell()


def full_story(draw: Draw, tables: tuple[str, ...]) -> list[Step]:
    """Return one step for each of the tables, in their order. Together they have every branch of every union."""
    scene, cart = draw.scene, draw.cart()
    pages: list[Change] = [{"page": scene.page._replace(referrer=scene.arrival.referrer)}]
    shown: list[Change] = [{"shown": (kind, "chatonline"), "instance": "1"} for kind in ("Show", "Accept")]
    planned: dict[str, dict[str, list[Change]]] = {
        "navigation": {"navigationData": pages},
        "eligibility": {"eligibilityData": [{"planned": {"eligibleCampaigns": [_engagements(scene.campaign)]}}]},
        "impression": {"impressions": shown},
        "goal_achieved": {"achievedGoals": [_goal_of(branch) | _cart(cart) for branch in _GOAL_NUMBERS]},
        "engagement_attributes": {"engagementAttributes": [{"branch": name} | _cart(cart) for name in _BRANCHES]},
    }
    return [Step(table, planned.get(table, {})) for table in tables]
