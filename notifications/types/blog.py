"""Blog: comments on drafts and posts, shared drafts, finished analyses."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("blog", _("Blog"))

DRAFT_COMMENTED = TOPIC.type(
    "draft_commented",
    label=_("A new comment is on your draft post"),
    title=_("{actor} commented on your draft “{post}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Bilal Haddad",
        "post": "Five habits of calm support teams",
        "excerpt": "Could the second example be shorter?",
        "url": "/1001/blog/posts/88/#comment-4",
    },
    defaults={"bell", "email"},
    requirements=("N-048",),
)

DRAFT_SHARED = TOPIC.type(
    "draft_shared",
    label=_("Someone shares a blog draft with you"),
    title=_("{actor} shared the draft “{post}” with you"),
    example={"actor": "Chiara Ricci", "post": "What we learned in Lisbon", "url": "/1001/blog/posts/91/"},
    defaults={"bell", "popup", "email"},
    requirements=("N-049",),
)

POST_COMMENTED = TOPIC.type(
    "post_commented",
    label=_("A new comment is on your blog post"),
    title=_("{commenter} commented on “{post}”"),
    body=_("“{excerpt}”"),
    example={
        "commenter": "Jonas Weber",
        "post": "A price list that people read",
        "excerpt": "We tried this last year, and it worked.",
        "url": "/1001/blog/posts/73/#comment-19",
    },
    defaults={"bell"},
    requirements=("N-050",),
)

MENTIONED_IN_DRAFT = TOPIC.type(
    "mentioned_in_draft",
    label=_("You are @mentioned in a comment on a draft"),
    title=_("{actor} mentioned you on the draft “{post}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Dewi Pratama",
        "post": "Our new onboarding",
        "excerpt": "@Ann, do you have the figures for this?",
        "url": "/1001/blog/posts/95/#comment-2",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-051",),
)

ANALYSIS_FINISHED = TOPIC.type(
    "analysis_finished",
    label=_("The analysis of your blog has finished"),
    title=_("The analysis of “{blog}” has finished"),
    body=_("Suggestions found: {suggestions}."),
    example={"blog": "Harbour Notes", "suggestions": 14, "url": "/1001/blog/2/analysis/"},
    defaults={"bell"},
    requirements=("N-052",),
)
