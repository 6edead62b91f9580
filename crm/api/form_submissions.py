"""Forms that visitors fill in on a website, handed in by a program."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Strict, Text
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from crm import form_submissions, paths
from crm.api.shapes import Properties
from crm.form_submissions import LONGEST_FORM, LONGEST_PAGE
from crm.models import FormSubmission, Record
from notifications.api.drafting import check_key, idempotency
from notifications.events import KeyReused


class SubmissionIn(Strict):
    form = Text(max_length=LONGEST_FORM, help_text="What the form is called; workflows start by this name.")
    page = Text(max_length=LONGEST_PAGE, help_text="The page it stands on.")
    address = Text(max_length=320, help_text="The visitor's e-mail address: their contact is found or made by it.")
    properties = Properties(required=False)


class SubmissionOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    form = serializers.CharField()
    page = serializers.CharField()
    contact = serializers.IntegerField(help_text="The id of the contact's record.")
    is_new_contact = serializers.BooleanField()
    properties = serializers.DictField()
    submitted_at = serializers.DateTimeField()
    url = serializers.CharField(help_text="Its page.")


class SubmissionQuery(PageQuery):
    form = serializers.CharField(required=False, max_length=LONGEST_FORM, help_text="The name of a form.")


ANSWER = {
    "id": 233,
    "form": "Ask for a quote",
    "page": "fjordline.example/prices",
    "contact": 311,
    "is_new_contact": True,
    "properties": {"first_name": "Jonas"},
    "submitted_at": "2027-03-09T08:30:00Z",
    "url": "/1001/form-submissions/233/",
}


class FormSubmissions(Door):
    required_scope = {"GET": "forms.read", "POST": "forms.write"}

    @operation(
        out=SubmissionOut,
        status=201,
        body=SubmissionIn,
        also=(409,),
        example={
            "form": "Ask for a quote",
            "page": "fjordline.example/prices",
            "address": "jonas@hofmann.example",
            "properties": {"first_name": "Jonas", "last_name": "Weber"},
        },
        answer=ANSWER,
        parameters=idempotency(201),
    )
    def post(self, request: ApiRequest) -> Response:
        """Hand in a form that a visitor filled in.

        The contact with the address is found or made, and gets these properties. Consent is not touched. Those who
        have the forms tool are told, and workflows that start with this form begin.
        """
        given = self.body(SubmissionIn)
        try:
            made = form_submissions.submit(
                request.account,
                form=given["form"],
                page=given["page"],
                address=given["address"],
                given=given.get("properties", {}),
                key=check_key(request.headers.get("Idempotency-Key"), field="Idempotency-Key"),
                by=request.member,
            )
        except KeyReused as refused:
            refused.fields = {"Idempotency-Key": refused.fields["key"]}
            raise
        headers = {"Idempotency-Replayed": "true"} if made.is_replay else None
        return Response(word(made), status=201, headers=headers)

    @operation(out=page_of(SubmissionOut), query=SubmissionQuery, answer={"results": [ANSWER], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List what visitors filled in, newest first."""
        asked = self.query(SubmissionQuery)
        rows = FormSubmission.objects.filter(account=request.account).select_related("account")
        if request.member:
            rows = rows.filter(record__in=Record.objects.of(request.account).visible_to(request.member))
        if "form" in asked:
            rows = rows.filter(form=asked["form"])
        return page(request, rows, asked, word=word)


def word(row: FormSubmission) -> dict[str, Any]:
    return {
        "id": row.pk,
        "form": row.form,
        "page": row.page,
        "contact": row.record_id,
        "is_new_contact": row.is_new_contact,
        "properties": row.given,
        "submitted_at": row.submitted_at,
        "url": paths.form_submission(row),
    }
