"""Lists of possible values: places, devices, products, and people. Weights say how often a value occurs."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "CATEGORIES",
    "DEVICES",
    "ERRORS",
    "FIRST_NAMES",
    "LAST_NAMES",
    "PLACES",
    "PRODUCTS",
    "SKILLS",
    "TOPICS",
    "Device",
    "Place",
]


class Place(NamedTuple):
    """The location of a visitor, as in a GEO record, with the language of the pages and a weight."""

    country: str
    code: str
    state: str | None
    city: str
    isp: str
    language: str
    weight: int


class Device(NamedTuple):
    """The device of a visitor, as in a Session Info record. ``agent``: the user agent, with slots for versions."""

    agent: str
    system: str
    family: str
    weight: int


PLACES = (
    Place("United States", "US", "New York", "New York", "Verizon Business", "en", 14),
    Place("United States", "US", "California", "San José", "Comcast Cable", "en", 12),
    Place("United States", "US", "Texas", "Houston", "AT&T Services", "en", 10),
    Place("United States", "US", "Georgia", "Atlanta", "Charter Communications", "en", 6),
    Place("United Kingdom", "GB", "England", "London", "BT Group", "en", 12),
    Place("United Kingdom", "GB", "Scotland", "Glasgow", "Sky Broadband", "en", 3),
    Place("Switzerland", "CH", "Zürich", "Zürich", "Swisscom", "de", 5),
    Place("Germany", "DE", "Nordrhein-Westfalen", "Köln", "NetCologne", "de", 8),
    Place("Japan", "JP", "東京都", "東京", "NTT Communications", "ja", 5),
    Place("Brazil", "BR", "São Paulo", "São Paulo", "Vivo", "en", 4),
    Place("Poland", "PL", None, "Łódź", "Orange Polska", "en", 3),
    Place("Israel", "IL", None, "תל אביב", "Bezeq International", "en", 3),
    Place("Australia", "AU", "New South Wales", "Sydney", "Telstra", "en", 6),
    Place("Iceland", "IS", None, "Reykjavík", "Síminn", "en", 1),
)

_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_{{d1~v}})"
_ANDROID = "Mozilla/5.0 (Linux; Android 6.0.1; SM-G93{{d1~v}}F)"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/5{{d1~c}}.0.27{{d2~c}}.{{d2~d}}"
DEVICES = (
    Device(f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36", "WINDOWS", "DESKTOP", 16),
    Device(f"Mozilla/5.0 (Windows NT 6.1; WOW64) {_CHROME} Safari/537.36", "WINDOWS", "DESKTOP", 6),
    Device("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "WINDOWS", "DESKTOP", 2),
    Device("Mozilla/5.0 (Windows NT 10.0; WOW64; rv:4{{d1~v}}.0) Gecko/20100101 Firefox/47.0", "WINDOWS", "DESKTOP", 5),
    Device(f"{_MAC} {_CHROME} Safari/537.36", "MAC_OS", "DESKTOP", 12),
    Device(f"Mozilla/5.0 (X11; Linux x86_64) {_CHROME} Safari/537.36", "LINUX", "DESKTOP", 2),
    Device(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 9_3_{{d1~v}} like Mac OS X) AppleWebKit/601.1.46 (KHTML, like Gecko) "
        "Version/9.0 Mobile/13F69 Safari/601.1",
        "IOS",
        "MOBILE",
        22,
    ),
    Device(
        "Mozilla/5.0 (iPad; CPU OS 9_3_{{d1~v}} like Mac OS X) AppleWebKit/601.1.46 (KHTML, like Gecko) "
        "Version/9.0 Mobile/13F69 Safari/601.1",
        "IOS",
        "TABLET",
        7,
    ),
    Device(
        f"Mozilla/5.0 (Linux; Android 6.0.1; SM-G93{{{{d1~v}}}}F) {_CHROME} Mobile Safari/537.36",
        "ANDROID",
        "MOBILE",
        24,
    ),
    Device("Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10", "NA", "NA", 1),
)

PRODUCTS = (
    ("Cordless Roller Shade", "Blinds & Shades", 8_999),
    ('Faux Wood Blind 2"', "Blinds & Shades", 5_450),
    ("Cellular Shade \\ Blackout", "Blinds & Shades", 12_900),
    ("Smart TV 50\u2033", "Home/Kitchen", 44_900),
    ("Prepaid SIM \U0001f4f1", "Phones", 1_000),
    ("Crème brûlée set", "Home/Kitchen", 3_495),
    ("Running Shoe \u2600\ufe0f", "Shoes", 11_999),
    ("Plan M \u2013 10 GB", "Plans", 2_500),
    ("木製ブラインド", "Blinds & Shades", 15_800),
    ("Headphones <Pro> & case", "Accessories", 19_900),
)
"""Name, category, and price in cents."""
CATEGORIES = ("Blinds & Shades", "Phones", "Plans", "Accessories", "Home/Kitchen", "Shoes")
SKILLS = (
    "Tier1",
    "Tier2",
    "Sales",
    "Sales - Español",
    "Technical Support",
    "Billing",
    "Kundendienst Zürich",
    "VIP \U0001f31f",
)
TOPICS = ("Order status", "Change of address", "Loan request", "Card activation", "New line", "Rückgabe")
FIRST_NAMES = ("Brooke", "James", "Zoë \U0001f98a", "Łukasz", "さくら", "Noor", "Seán", "Maria", "Olu", "Anne-Sophie")
LAST_NAMES = ("Richards", "O'Neill", "Müller", "Nowak", "佐藤", "Levi", "Silva", "van den Berg", "Smith", "Adeyemi")
ERRORS = (
    "The card was declined.",
    "Field \u201czip\u201d is required",
    "Session expired\u2028please log in again",
    "Timeout after {{d4}} ms\tat step {{d1}}",
    "Une erreur est survenue",
)
