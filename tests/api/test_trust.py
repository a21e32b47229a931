"""wsparquet/api/trust.py: which addresses may see a signature."""

from __future__ import annotations

import pytest

from wsparquet.api.trust import Trust
from wsparquet.errors import ApiError

API = Trust(host="va.da.liveperson.net", base_url=None)
OWN = Trust(host="va.da.liveperson.net", base_url="http://127.0.0.1:8080")
TAIL = "/data_access_le/account/1/le/webSession/x.gz"


@pytest.mark.parametrize(
    "url",
    [
        f"https://va.da.liveperson.net{TAIL}",
        f"https://va-a.da.liveperson.net{TAIL}?x=1&y=%20",
        f"https://VA-A.DA.LivePerson.NET{TAIL}",
        f"https://lo.da.liveperson.net:443{TAIL}",
        f"https://a.b.da.liveperson.net{TAIL}",
        "https://sy.da.liveperson.net",
    ],
)
def test_the_domain_of_the_api_is_trusted(url: str) -> None:
    """Any host of the API's domain over https at the standard port; the rest stays as it is written."""
    assert str(API.check(url)).lower().removesuffix("/") == url.lower().replace(":443", "")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x.gz",
        TAIL,
        f"//va.da.liveperson.net{TAIL}",
        f"http://va.da.liveperson.net{TAIL}",
        f"ftp://va.da.liveperson.net{TAIL}",
        f"https:va.da.liveperson.net{TAIL}",
        f"https:/va.da.liveperson.net{TAIL}",
        f"https:///va.da.liveperson.net{TAIL}",
        f"https://va.da.liveperson.net:80{TAIL}",
        f"https://va.da.liveperson.net:8443{TAIL}",
        f"https://va.da.liveperson.net:0443x{TAIL}",
        f"https://va.da.liveperson.net:99999{TAIL}",
        f"https://user@va.da.liveperson.net{TAIL}",
        f"https://user:pass@va.da.liveperson.net{TAIL}",
        f"https://@va.da.liveperson.net{TAIL}",
        f"https://:@va.da.liveperson.net{TAIL}",
        f"https://va.da.liveperson.net@evil.example{TAIL}",
        f"https://evil.example{TAIL}",
        f"https://evil.example#@va.da.liveperson.net{TAIL}",
        f"https://evil.example?@va.da.liveperson.net{TAIL}",
        f"https://evil.example\\@va.da.liveperson.net{TAIL}",
        f"https://evil.example\\.da.liveperson.net{TAIL}",
        f"https://evil.example/.da.liveperson.net{TAIL}",
        f"https://va.da.liveperson.net.evil.example{TAIL}",
        f"https://evilda.liveperson.net{TAIL}",
        f"https://xda.liveperson.net{TAIL}",
        f"https://da.liveperson.net{TAIL}",
        f"https://liveperson.net{TAIL}",
        f"https://va.da.liveperson.net.{TAIL}",
        f"https://.da.liveperson.net{TAIL}",
        f"https://va..da.liveperson.net{TAIL}",
        f"https://-.da.liveperson.net{TAIL}",
        f"https://va.da.liveperson.net%2eevil.example{TAIL}",
        f"https://va%2eda.liveperson.net{TAIL}",
        f"https://va.da.livepersоn.net{TAIL}",
        f"https://va。da.liveperson.net{TAIL}",
        f"https://va.da.liveperson.net evil.example{TAIL}",
        f" https://va.da.liveperson.net{TAIL}",
        f"https://va.da.liveperson.net{TAIL}\n",
        f"https://va.da.liveperson.net\t{TAIL}",
        f"https://va.da.liveperson.net\r\nHost: evil.example{TAIL}",
        f"https://va.da.liveperson.net\0{TAIL}",
        f"https://[::1]{TAIL}",
        f"https://127.0.0.1{TAIL}",
        "file:///etc/passwd",
        "data:text/plain,x",
        f"https://va.da.liveperson.net{TAIL}<x>",
    ],
)
def test_nobody_else_is(url: str) -> None:
    """Whatever looks like the API's address and is not is refused, with an error that has no line ends in it."""
    with pytest.raises(ApiError, match="nothing was sent there") as caught:
        API.check(url)
    assert str(caught.value).isprintable()
    assert "pass" not in str(caught.value).replace("/passwd", "")


def test_a_base_url_is_the_only_one() -> None:
    """With an address of the user's, that one is trusted, and the API's domain is not."""
    assert OWN.check(f"http://127.0.0.1:8080{TAIL}")
    for url in (
        f"https://va.da.liveperson.net{TAIL}",
        f"https://127.0.0.1:8080{TAIL}",
        f"http://127.0.0.1:8081{TAIL}",
        f"http://127.0.0.1{TAIL}",
        f"http://127.0.0.2:8080{TAIL}",
        f"http://localhost:8080{TAIL}",
        f"http://x@127.0.0.1:8080{TAIL}",
        f"http://127.0.0.1:8080@evil.example{TAIL}",
    ):
        with pytest.raises(ApiError):
            OWN.check(url)


@pytest.mark.parametrize(
    "url", ["https://x.example", "https://x.example:8443/", "http://localhost:1", "http://[::1]:9"]
)
def test_base_urls(url: str) -> None:
    """Https anywhere, http on the machine itself."""
    trust = Trust(host="", base_url=url)
    assert trust.check(f"{url.rstrip('/')}{TAIL}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x.example",
        "http://x.example",
        "http://10.0.0.1",
        "https://u:secret@x.example",
        "https://x.example/path",
        "https://x.example?secret=1",
        "ftp://x.example",
        "http://127.0.0.1.x.example",
        "http://localhost.x.example",
    ],
)
def test_what_no_base_url_can_be(url: str) -> None:
    """Anything else is an error that names the option, and quotes no secret."""
    with pytest.raises(ApiError, match="`base_url`") as caught:
        Trust(host="", base_url=url)
    assert "secret" not in str(caught.value)
