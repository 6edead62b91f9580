import os
from pathlib import Path
from accounts.models import Team, Role, Seat
from accounts import api_keys
from notifications import defaults, profiles, events, types, fanout
from notifications.defaults import Change
from notifications.models import Delivery, Lock
from notifications.resolution import Layer
from tests import factories

OUT = Path("/tmp/shots")
OUT.mkdir(exist_ok=True)


def test_shots(device, account, next_door, alice, bob, carol, team, mallory):
    account.plan = "enterprise"
    account.save()
    Team.objects.create(account=account, name="Service")
    factories.members(account, 30)
    made = profiles.create(account, name="Sellers", team=team, by=alice)
    defaults.apply(
        account,
        Change(layer=Layer.PROFILE, profile=made.profile, cells={("deals.stage_changed", "email"): False}),
        by=alice,
    )
    ch = defaults.apply(
        account,
        Change(
            layer=Layer.DEFAULT,
            cells={
                ("deals.mentioned", "email"): False,
                ("deals.stage_changed", "bell"): True,
                ("tasks.assigned" if "tasks.assigned" in types.TYPES else "deals.mentioned", "popup"): True,
            },
        ),
        by=alice,
    )
    defaults.apply(
        account,
        Change(
            layer=Layer.LOCK,
            cells={("deals.stage_changed", "email"): True},
            reason="Sales follows up by mail this quarter.",
        ),
        by=alice,
    )
    kind = types.TYPES["deals.stage_changed"]
    event = None
    for i in range(4):
        event = events.emit(kind, audience=[alice, bob, carol], by=alice, data=kind.example)
    d = (
        Delivery.objects.create(
            event=event,
            member=bob,
            channel="email",
            status="failed",
            error="550 5.1.1 The email account that you tried to reach does not exist",
            attempts=6,
            sent_to=bob.email,
        )
        if not Delivery.objects.filter(event=event, member=bob).exists()
        else Delivery.objects.filter(event=event, member=bob).first()
    )
    key, _ = api_keys.make(account, name="Import from the shop", scopes=["events.write", "events.read"], by=alice)
    paths = {
        "index": "/admin/",
        "account": f"/admin/accounts/account/{account.pk}/change/",
        "members": "/admin/accounts/membership/",
        "invite": "/admin/accounts/membership/add/",
        "member": f"/admin/accounts/membership/{bob.pk}/change/",
        "keys": "/admin/accounts/apikey/",
        "keyadd": "/admin/accounts/apikey/add/",
        "grid": "/admin/notifications/accountdefault/",
        "lockgrid": "/admin/notifications/lock/add/",
        "locks": "/admin/notifications/lock/",
        "profiles": "/admin/notifications/profile/",
        "profile": f"/admin/notifications/profile/{made.profile.pk}/change/",
        "answers": f"/admin/notifications/profile/{made.profile.pk}/answers/",
        "log": "/admin/notifications/preferencechange/",
        "change": f"/admin/notifications/preferencechange/{ch.pk}/change/",
        "deliveries": "/admin/notifications/delivery/",
        "delivery": f"/admin/notifications/delivery/{d.pk}/change/",
        "events": "/admin/notifications/event/",
        "event": f"/admin/notifications/event/{event.pk}/change/",
        "delprofile": f"/admin/notifications/profile/{made.profile.pk}/delete/",
    }
    for width, scheme in (
        ((1280, "light"), (360, "dark"))
        if not os.environ.get("ALL")
        else ((1280, "light"), (1280, "dark"), (360, "light"), (360, "dark"))
    ):
        dev = device(alice, viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = dev.context.new_page()
        msgs = []
        page.on("console", lambda m: msgs.append((m.type, m.text)))
        page.on("pageerror", lambda e: msgs.append(("pageerror", str(e))))
        for name, path in paths.items():
            page.goto(dev.stack.url + path)
            if name in ("grid", "answers", "lockgrid"):
                page.locator("#topic-deals > summary").click()
            if name == "lockgrid":
                page.locator("#reason").fill("Sales follows up by mail")
            page.screenshot(
                path=OUT / f"{name}-{width}-{scheme}.png", full_page=name not in ("grid", "answers", "lockgrid")
            )
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                print("OVERFLOW", name, width, over)
            if name == "grid":
                page.locator("#topic-deals .answer__one--off input").nth(3).check()
                page.locator("#topic-deals .answer__one--off input").nth(4).check()
                page.screenshot(path=OUT / f"grid2-{width}-{scheme}.png")
                page.get_by_role("button", name="Review changes").click()
                page.screenshot(path=OUT / f"review-{width}-{scheme}.png")
        print("CONSOLE", width, scheme, msgs)
