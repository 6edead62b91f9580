#!/usr/bin/env python
"""Bellhop's command line: `manage.py help` lists what it can do, `manage.py up` starts everything."""

import os
import sys


def main() -> int:
    """Run one command. What a person can put right is told in one sentence, never as a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from config import local
        from config.errors import Refusal
    except ImportError as missing:
        print(f"{missing}. Install the requirements first: make venv", file=sys.stderr)
        return 1
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        if sys.argv[1:2] == ["up"]:
            local.prepare(sys.argv[2:])
        elif sys.argv[1:2] in (["web"], ["worker"]):
            # Many short requests in many threads; and Celery closes its connections before and after every task.
            os.environ.setdefault("DATABASE_POOL", "true")
        execute_from_command_line(sys.argv)
    except (Refusal, ImproperlyConfigured) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except OperationalError as problem:
        print(f"The database does not answer. Is Bellhop running? ({str(problem).strip()})", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
