"""`presence`: what it costs to know where 10,000 members are, each of whose tabs says so every 30 seconds.

All have a tab open in one web process and are at work in it. Counted is the processor time of that process and of
Redis, all of it: the frames, the hub's own refreshing and whatever else an idle process does. Tabs ask for their state
besides, which is no presence and is left out here.

    python -m bench presence
"""

import time

from bench import people, processes, services
from bench.figure import REPEATS, Figure, load, median, say
from bench.sockets import HERE_EVERY

MEMBERS = 10_000
SECONDS = 10  # of each measurement
MOST = 0.10  # of a core


def run(*, members: int = MEMBERS, times: int = REPEATS, seconds: float = SECONDS) -> list[Figure]:
    """Several stretches in a row, after everybody has said so once."""
    with services.running():
        from notifications import live, presence

        account = people.account(900_010, members=members)
        cookies = people.sign_in(list(account.members.order_by("id")))
        redis = live.client()
        with processes.web() as web, processes.tabs(web.port, account.hub_id, cookies) as tabs:
            say(f"  {members} sockets open after {tabs.opening['seconds']:.0f} s")
            tabs.begin_to_say_here()
            time.sleep(HERE_EVERY + 5)
            webs, redises, loads = [], [], []
            for _time in range(times):
                loads.append(load())
                web_before, redis_before, began = web.cpu(), _cpu(redis.info("cpu")), time.monotonic()
                time.sleep(seconds)
                passed = time.monotonic() - began
                webs.append((web.cpu() - web_before) / passed)
                redises.append((_cpu(redis.info("cpu")) - redis_before) / passed)
                say(f"  web {webs[-1]:.1%}, Redis {redises[-1]:.1%} of a core")
            everybody = set(account.members.values_list("pk", flat=True))
            is_open, is_active = presence.look(redis, account.pk, everybody)
            lost = tabs.count()["lost"]
    both = [a + b for a, b in zip(webs, redises, strict=True)]
    is_known = len(is_open) == len(is_active) == members and not lost
    return [
        Figure(
            name="presence",
            what=f"web process and Redis, to know where {members:,} members are, refreshed every {HERE_EVERY} s",
            value=100 * median(both),
            unit="% of a core",
            goal=f"≤ {MOST:.0%}",
            is_met=is_known and median(both) <= MOST,
            load=median(loads),
            samples=[100 * each for each in both],
            details={
                "web": median(webs),
                "redis": median(redises),
                "known_to_be_open": len(is_open),
                "known_to_be_at_work": len(is_active),
                "closed_sockets": lost,
                "loads": loads,
            },
        )
    ]


def _cpu(said: dict[str, float]) -> float:
    """Seconds of processor time that Redis has used."""
    return float(said["used_cpu_user"]) + float(said["used_cpu_sys"])
