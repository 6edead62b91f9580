"""Wiring only: settings, URLs, ASGI, Celery, embedded services. No business word appears here."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
