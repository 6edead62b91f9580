"""`manage.py web`, with one thing more: SIGUSR1 collects garbage, so that memory can be compared."""

import gc
import signal
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: gc.collect())
    execute_from_command_line(["manage.py", "web", *sys.argv[1:]])
