"""Browsers are called by names that people know."""

import pytest

from accounts.browsers import is_phone, name_of

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0"
FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:153.0) Gecko/20100101 Firefox/153.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "name", "phone"),
    [
        (CHROME, "Chrome on Linux", False),
        (EDGE, "Edge on Windows", False),
        (FIREFOX, "Firefox on Mac", False),
        (IPHONE, "Safari on iPhone", True),
        (ANDROID, "Chrome on Android", True),
        ("curl/8.14.1", "curl", False),
        ("", "Unknown browser", False),
    ],
)
def test_a_browser_is_called_by_the_name_people_know(user_agent: str, name: str, phone: bool) -> None:
    assert name_of(user_agent) == name
    assert is_phone(user_agent) is phone
