"""Secrets of other services are unreadable in the database and survive a change of keys."""

import pytest

from accounts import sealing
from accounts.sealing import Unreadable


def test_a_sealed_secret_opens_again_and_does_not_show():
    sealed = sealing.seal("xoxb-token")

    assert sealing.unseal(sealed) == "xoxb-token"
    assert "xoxb" not in sealed
    assert sealing.seal("xoxb-token") != sealed


def test_a_new_key_in_front_still_opens_what_the_old_one_sealed(settings):
    settings.SEALING_KEYS = ["old " * 10]
    sealed = sealing.seal("secret")

    settings.SEALING_KEYS = ["new " * 10, "old " * 10]
    assert sealing.unseal(sealed) == "secret"

    settings.SEALING_KEYS = ["new " * 10]
    with pytest.raises(Unreadable):
        sealing.unseal(sealed)


@pytest.mark.parametrize("odd", ["", "nonsense", "gAAAAA==", "ü"])
def test_what_was_never_sealed_is_refused(odd):
    with pytest.raises(Unreadable):
        sealing.unseal(odd)
