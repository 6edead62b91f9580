"""The nginx in front, as deploy/nginx.conf has it: nginx inherits proxy_set_header all or nothing."""

import re
from pathlib import Path

CONF = Path(__file__).parents[2] / "deploy" / "nginx.conf"
HEADER = re.compile(r"^\s*proxy_set_header (\S+)", re.MULTILINE)
LOCATION = re.compile(r"location (\S+) \{(.*?)\}", re.DOTALL)
NEEDED = {"Host", "X-Forwarded-Proto", "X-Forwarded-For"}  # else: a wrong host, a redirect without end, no address


def test_every_way_through_the_proxy_carries_host_scheme_and_address() -> None:
    conf = CONF.read_text()
    for_all = set(HEADER.findall(LOCATION.sub("", conf)))
    sent = {path: set(HEADER.findall(body)) or for_all for path, body in LOCATION.findall(conf)}

    assert set(sent) == {"/ws/", "/"}
    assert all(headers >= NEEDED for headers in sent.values()), sent
    assert {"Upgrade", "Connection"} <= sent["/ws/"]
