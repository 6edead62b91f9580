"""The yardstick of `live`: a bare Redis subscription in a process of its own that notes when each number came.

`python -m bench.echo URL CHANNEL COUNT` prints "ready" when it listens, then all [number, monotonic ns] as JSON.
"""

import gc
import json
import sys
import time

from redis import Redis


def main(url: str, channel: str, count: int) -> None:
    heard = []
    gc.disable()
    with Redis.from_url(url, socket_timeout=10).pubsub() as pubsub:
        pubsub.subscribe(channel)
        for message in pubsub.listen():
            if message["type"] == "subscribe":
                print("ready", flush=True)
                continue
            heard.append((int(message["data"].partition(b" ")[0]), time.monotonic_ns()))
            if len(heard) == count:
                break
    print(json.dumps(heard))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
