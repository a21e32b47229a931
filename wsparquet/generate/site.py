"""The pages of generated sites: their paths in each language, the links between them, and the ways to arrive there."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "ARRIVALS",
    "LANDINGS",
    "LINKS",
    "SITES",
    "Arrival",
    "Page",
    "Site",
    "path_of",
    "sections_of",
    "site_address",
    "words_of",
]


class Page(NamedTuple):
    """A visited page. ``kind``: the kind of the page, a key of ``LINKS``."""

    kind: str
    url: str
    referrer: str
    sections: tuple[str, ...]


class Arrival(NamedTuple):
    """A way to arrive at a site.

    ``referrer``: the URL that visitors come from, with ``%s`` for the words of a search. ``query``: the query string of
    the first URL.
    """

    source: str
    engine: str | None
    referrer: str
    query: str
    weight: int


class Site(NamedTuple):
    """A site. ``intents``: what the visitors want, with weights."""

    address: str
    intents: dict[str, int]
    weight: int


_SHOP = {"bounce": 22, "browse": 30, "abandon": 17, "buy": 22, "help": 6, "account": 3}
_TELCO = {"bounce": 15, "browse": 20, "abandon": 8, "buy": 12, "help": 30, "account": 15}
_BANK = {"bounce": 15, "browse": 15, "lead": 30, "help": 20, "account": 20}
SITES = (
    Site("https://www.blinds.example", _SHOP, 4),
    Site("https://shop.example.com", _SHOP, 4),
    Site("https://www.telco.example", _TELCO, 2),
    Site("https://bank.example.net", _BANK, 2),
)

# The identifier of a click is the same in the URL of the page and in the referrer of the next page.
ARRIVALS = (
    Arrival("direct", None, "", "", 34),
    Arrival("search", "Google", "https://www.google.com/search?q=%s", "", 24),
    Arrival("search", "Bing", "https://www.bing.com/search?q=%s", "", 6),
    Arrival("search", "DuckDuckGo", "https://duckduckgo.com/?q=%s", "", 4),
    Arrival("search", "Yahoo", "https://search.yahoo.com/search?p=%s", "", 2),
    Arrival("ad", None, "https://www.google.com/", "?utm_source=google&utm_medium=cpc&gclid={{hex24@click}}", 13),
    Arrival("mail", None, "", "?utm_source=newsletter&sid={{hex8@click}}", 9),
    Arrival("partner", None, "https://www.compare.example/offers", "?utm_source=partner", 8),
)

LANDINGS = {"home": 40, "category": 27, "product": 20, "search": 4, "help": 6, "login": 3}
"""The kinds of first pages, with weights."""

LINKS: dict[str, dict[str, int]] = {
    "home": {"category": 8, "search": 4, "product": 4, "help": 1, "login": 1},
    "category": {"product": 8, "category": 3, "home": 1},
    "search": {"product": 7, "search": 2, "home": 1},
    "product": {"category": 4, "product": 4, "reviews": 3, "home": 1, "cart": 0},
    "reviews": {"product": 1},
    "help": {"help": 3, "search": 1, "home": 1},
    "login": {"account": 4, "home": 1},
    "account": {"account": 2, "help": 1, "home": 2},
    "cart": {"checkout1": 1, "product": 0},
    "checkout1": {"checkout2": 1, "cart": 0},
    "checkout2": {"checkout3": 1, "cart": 0},
    "checkout3": {"done": 1, "cart": 0},
    "done": {"account": 1, "home": 1},
}
"""The links between the kinds of pages, with weights. A link with the weight 0 is followed only if an intent requires
it."""

_WORDS = {
    "en": {
        "category": ("/c/roller-shades", "/c/cellular-shades", "/c/shoes", "/c/phones/prepaid", "/c/plans", "/c/sale"),
        "help": ("/help/returns", "/help/measure", "/help/delivery", "/help/contact"),
        "search": ("roller shades", "gift ideas", "how to measure blinds", "free delivery"),
    },
    "de": {
        "category": ("/c/rollos", "/c/jalousien", "/c/schuhe-gr%C3%B6%C3%9Fen", "/c/handytarife"),
        "help": ("/hilfe/l%C3%B6schen", "/hilfe/r%C3%BCckgabe", "/hilfe/kontakt"),
        "search": ("günstige jalousien", "angebote heute", "rollo größen"),
    },
    "ja": {
        "category": ("/c/blinds", "/c/shoes", "/c/mobile"),
        "help": ("/help/henpin", "/help/toiawase"),
        "search": ("ブラインド", "送料無料"),
    },
}
_PATHS = {
    "home": "/",
    "product": "/p/{sku}.html",
    "reviews": "/p/{sku}/reviews",
    "login": "/login.html",
    "account": "/account/orders/{{{{d6~order{turn}}}}}",
    "cart": "/cart",
    "checkout1": "/checkout/step-1",
    "checkout2": "/checkout/step-2",
    "checkout3": "/checkout/step-3",
    "done": "/checkout/done",
}
_SECTIONS = {
    "en": {"home": ("home",), "login": ("loginPages",), "help": ("support",), "account": ("billing",)},
    "de": {"home": ("start",), "login": ("anmelden",), "help": ("hilfe",), "category": ("größen",)},
    "ja": {"home": ("ホーム",), "help": ("サポート",)},
}
_CHECKOUT = {"cart", "checkout1", "checkout2", "checkout3", "done"}


def site_address(site: Site, language: str) -> str:
    """Return the start of all URLs of a site in a language."""
    return site.address if language == "en" else f"{site.address}/{language}"


def words_of(language: str, kind: str) -> tuple[str, ...]:
    """Return the paths or, for ``search``, the words that a language has for a kind of page."""
    return _WORDS[language].get(kind, ())


def path_of(kind: str, *, sku: str, turn: int) -> str:
    """Return the path of a page that is not chosen by words. ``turn`` numbers the orders that the visitor looks at."""
    return _PATHS[kind].format(sku=sku, turn=turn % 3)


def sections_of(kind: str, language: str) -> tuple[str, ...]:
    """Return the sections of a kind of page in the language of the site."""
    if kind in _CHECKOUT:
        return ("checkout", kind)
    return _SECTIONS[language].get(kind) or ("product" if kind == "reviews" else kind,)
