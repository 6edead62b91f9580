"""Running everything on one machine: where it is, written down in var/local.env for every other command."""

import os
import secrets
from pathlib import Path

from environ import Env

from config.embedded import places
from config.embedded.postgres import ROLE
from config.embedded.processes import explain
from config.errors import Refusal

CHECKOUT = Path(__file__).resolve().parent.parent
WRITTEN = ("BELLHOP_MODE", "SECRET_KEY", "BASE_URL", "DATABASE_URL", "REDIS_URL")
EMBEDDED = "BELLHOP_EMBEDDED"  # names the services that `up` has to start: "postgres", "redis"


def var_dir() -> Path:
    """The folder of everything that is written: VAR_DIR, or var/ in the checkout."""
    return Path(os.environ.get("VAR_DIR") or CHECKOUT / "var").resolve()
