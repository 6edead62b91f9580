"""What hangs on records: associations, activities, followers."""

from django.shortcuts import get_object_or_404
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from accounts.models import Membership
from crm import activities, associating, following, schema
from crm.api import reaching
from crm.api.shapes import (
    DEAL,
    NOTE,
    RECORDS,
    ActivityIn,
    ActivityOut,
    AssociationIn,
    FollowerOut,
    RecordOut,
    TextIn,
    word,
    word_activity,
)
from crm.models import Source


class Associations(Door):
    required_scope = {"GET": "records.read", "POST": "records.write"}

    @operation(out=RECORDS, query=PageQuery, answer={"results": [DEAL], "next": None})
    def get(self, request: ApiRequest, record_id: int) -> Response:
        """List the records that belong to a record, of all kinds."""
        record = reaching.one(request, record_id)
        kinds = schema.of(request.account)
        rows = reaching.visible(request).live().filter(associating.is_with(record))
        return page(request, rows, self.query(PageQuery), word=lambda row: word(row, kinds[row.kind]))

    @operation(out=RecordOut, status=201, body=AssociationIn, also=(409,), example={"record": 311}, answer=DEAL)
    def post(self, request: ApiRequest, record_id: int) -> Response:
        """Associate a record with another one, and answer that one. Twice is once."""
        record = reaching.one_to_change(request, record_id)
        other = reaching.one(request, self.body(AssociationIn)["record"])
        associating.associate(record, other, by=request.member, source=Source.API)
        return Response(word(other, schema.kind_of(request.account, other.kind)), status=201)


class OneAssociation(Door):
    required_scope = "records.write"

    @operation(status=204)
    def delete(self, request: ApiRequest, record_id: int, other_id: int) -> Response:
        """Separate two records. Twice is once."""
        record, other = reaching.one_to_change(request, record_id), reaching.one(request, other_id)
        associating.separate(record, other, by=request.member, source=Source.API)
        return Response(status=204)


class Activities(Door):
    required_scope = {"GET": "records.read", "POST": "records.write"}

    @operation(out=page_of(ActivityOut), query=PageQuery, answer={"results": [NOTE], "next": None})
    def get(self, request: ApiRequest, record_id: int) -> Response:
        """List the notes, logged activities and comments on a record, newest first."""
        rows = reaching.one(request, record_id).activities.filter(deleted_at=None)
        return page(request, rows, self.query(PageQuery), word=word_activity)

    @operation(
        out=ActivityOut,
        status=201,
        body=ActivityIn,
        also=(409,),
        example={"kind": "note", "text": "Legal wants one more week."},
        answer=NOTE,
    )
    def post(self, request: ApiRequest, record_id: int) -> Response:
        """Write a note on a record, or log a call, mail or meeting.

        Nobody is told of being mentioned through the API.
        """
        record = reaching.one(request, record_id)
        given = self.body(ActivityIn)
        return Response(
            word_activity(activities.log(record, **given, by=request.member, source=Source.API)), status=201
        )


class OneActivity(Door):
    required_scope = {"GET": "records.read", "PATCH": "records.write", "DELETE": "records.write"}

    @operation(out=ActivityOut, answer=NOTE)
    def get(self, request: ApiRequest, activity_id: int) -> Response:
        """Show a note, a logged activity or a comment."""
        return Response(word_activity(reaching.activity(request, activity_id)))

    @operation(out=ActivityOut, body=TextIn, example={"text": "Legal is done."}, answer=NOTE)
    def patch(self, request: ApiRequest, activity_id: int) -> Response:
        """Write its text anew. With a session: one's own, or as a super admin."""
        activity = reaching.activity(request, activity_id)
        given = self.body(TextIn)
        return Response(word_activity(activities.edit(activity, **given, by=request.member)))

    @operation(status=204)
    def delete(self, request: ApiRequest, activity_id: int) -> Response:
        """Take it away, with its comments. With a session: one's own, or as a super admin."""
        activities.delete(reaching.activity(request, activity_id), by=request.member)
        return Response(status=204)


class Comments(Door):
    required_scope = "records.write"

    @operation(
        out=ActivityOut,
        status=201,
        body=TextIn,
        also=(409,),
        example={"text": "They confirmed."},
        answer={**NOTE, "id": 920, "kind": "comment", "text": "They confirmed.", "parent": 914},
    )
    def post(self, request: ApiRequest, activity_id: int) -> Response:
        """Comment on an activity. Who takes part in it hears."""
        parent = reaching.activity(request, activity_id)
        given = self.body(TextIn)
        made = activities.comment(parent, **given, by=request.member, source=Source.API)
        return Response(word_activity(made), status=201)


class Followers(Door):
    required_scope = "records.read"

    @operation(
        out=page_of(FollowerOut),
        query=PageQuery,
        answer={"results": [{"member": 12, "created_at": "2027-03-09T08:30:00Z"}], "next": None},
    )
    def get(self, request: ApiRequest, record_id: int) -> Response:
        """List who follows a record."""
        rows = reaching.one(request, record_id).followers.all()
        return page(
            request,
            rows,
            self.query(PageQuery),
            word=lambda row: {"member": row.member_id, "created_at": row.created_at},
        )


class OneFollower(Door):
    required_scope = "records.write"

    @operation(status=204)
    def put(self, request: ApiRequest, record_id: int, follower_id: int) -> Response:
        """Let a member follow a record. With a session: oneself. Twice is once."""
        following.follow(reaching.one(request, record_id), self._member(request, follower_id))
        return Response(status=204)

    @operation(status=204)
    def delete(self, request: ApiRequest, record_id: int, follower_id: int) -> Response:
        """Let a member follow a record no longer. With a session: oneself. Twice is once."""
        following.unfollow(reaching.one(request, record_id), self._member(request, follower_id))
        return Response(status=204)

    @staticmethod
    def _member(request: ApiRequest, pk: int) -> Membership:
        mine = Membership.objects.active().of(request.account)
        return get_object_or_404(mine.filter(pk=request.member.pk) if request.member else mine, pk=pk)
