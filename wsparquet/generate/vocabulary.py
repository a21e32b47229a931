"""Lists of possible values: places, devices, products, people, and sites."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "CATEGORIES",
    "DEVICES",
    "ERRORS",
    "FIRST_NAMES",
    "LAST_NAMES",
    "PATHS",
    "PLACES",
    "PRODUCTS",
    "SEARCHES",
    "SECTIONS",
    "SITES",
    "SKILLS",
    "TOPICS",
    "Device",
    "Place",
]


class Place(NamedTuple):
    """The location of a visitor, as in a GEO record."""

    country: str
    code: str
    state: str | None
    city: str
    isp: str


class Device(NamedTuple):
    """The device of a visitor, as in a Session Info record. ``agent``: the user agent, with slots for versions."""

    agent: str
    system: str
    family: str


PLACES = (
    Place("United States", "US", "New York", "New York", "Verizon Business"),
    Place("United States", "US", "California", "San José", "Comcast Cable"),
    Place("United States", "US", "Texas", "Houston", "AT&T Services"),
    Place("United States", "US", "Georgia", "Atlanta", "Charter Communications"),
    Place("United Kingdom", "GB", "England", "London", "BT Group"),
    Place("United Kingdom", "GB", "Scotland", "Glasgow", "Sky Broadband"),
    Place("Switzerland", "CH", "Zürich", "Zürich", "Swisscom"),
    Place("Germany", "DE", "Nordrhein-Westfalen", "Köln", "NetCologne"),
    Place("Japan", "JP", "東京都", "東京", "NTT Communications"),
    Place("Brazil", "BR", "São Paulo", "São Paulo", "Vivo"),
    Place("Poland", "PL", None, "Łódź", "Orange Polska"),
    Place("Israel", "IL", None, "תל אביב", "Bezeq International"),
    Place("Australia", "AU", "New South Wales", "Sydney", "Telstra"),
    Place("Iceland", "IS", None, "Reykjavík", "Síminn"),
)

_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/5{{d1}}.0.27{{d2}}.{{d2}}"
DEVICES = (
    Device(f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36", "WINDOWS", "DESKTOP"),
    Device(f"Mozilla/5.0 (Windows NT 6.1; WOW64) {_CHROME} Safari/537.36", "WINDOWS", "DESKTOP"),
    Device("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "WINDOWS", "DESKTOP"),
    Device("Mozilla/5.0 (Windows NT 10.0; WOW64; rv:4{{d1}}.0) Gecko/20100101 Firefox/47.0", "WINDOWS", "DESKTOP"),
    Device(f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_{{{{d1}}}}) {_CHROME} Safari/537.36", "MAC_OS", "DESKTOP"),
    Device(f"Mozilla/5.0 (X11; Linux x86_64) {_CHROME} Safari/537.36", "LINUX", "DESKTOP"),
    Device(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 9_3_{{d1}} like Mac OS X) AppleWebKit/601.1.46 (KHTML, like Gecko) "
        "Version/9.0 Mobile/13F69 Safari/601.1",
        "IOS",
        "MOBILE",
    ),
    Device(
        "Mozilla/5.0 (iPad; CPU OS 9_3_{{d1}} like Mac OS X) AppleWebKit/601.1.46 (KHTML, like Gecko) "
        "Version/9.0 Mobile/13F69 Safari/601.1",
        "IOS",
        "TABLET",
    ),
    Device(
        f"Mozilla/5.0 (Linux; Android 6.0.1; SM-G93{{{{d1}}}}F) {_CHROME} Mobile Safari/537.36", "ANDROID", "MOBILE"
    ),
    Device("Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10", "NA", "NA"),
)

SITES = (
    "https://www.blinds.example",
    "https://shop.example.com",
    "https://www.telco.example",
    "https://bank.example.net",
)
PATHS = (
    "/",
    "/login.html",
    "/c/roller-shades",
    "/c/phones/prepaid",
    "/p/{{d6}}.html",
    "/p/{{d6}}/reviews",
    "/cart",
    "/checkout/step-{{d1}}",
    "/search",
    "/account/orders/{{d6}}",
    "/hilfe/l%C3%B6schen",
    "/a/{{d6}}/#wa!webagent",
)
SECTIONS = ("loginPages", "home", "product", "checkout", "support", "billing", "men's shoes", "prepaid", "größen")
SEARCHES = (
    "roller shades",
    "cheap phone plan",
    "how to measure blinds",
    "günstige jalousien",
    "ブラインド",
    "bank near me",
)

PRODUCTS = (
    "Cordless Roller Shade",
    'Faux Wood Blind 2"',
    "Cellular Shade \\ Blackout",
    "Smart TV 50\u2033",
    "Prepaid SIM \U0001f4f1",
    "Crème brûlée set",
    "Running Shoe \u2600\ufe0f",
    "Plan M \u2013 10 GB",
    "木製ブラインド",
    "Headphones <Pro> & case",
)
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
