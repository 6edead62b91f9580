"""The choices about a file as a form. They are judged by the domain; the form keeps what was chosen."""

from dataclasses import replace

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from crm.importing import plans, sniffing
from crm.importing.plans import ID, NOTHING, InvalidPlan, Plan
from crm.kinds import Kind

CHOICES = ("encoding", "delimiter", "match", "existing", "dates", "numbers")


class MappingForm(forms.Form):
    """How a file is read, what each column is, and what becomes of records there are."""

    encoding = forms.ChoiceField(label=_("Encoding"), choices=list(sniffing.ENCODINGS.items()))
    delimiter = forms.ChoiceField(label=_("Between the cells"), choices=list(sniffing.DELIMITERS.items()))
    header = forms.BooleanField(label=_("The first row holds the names of the columns"), required=False)
    match = forms.ChoiceField(label=_("Find records that are there already by"), required=False)
    existing = forms.ChoiceField(label=_("Records that are found"), choices=list(plans.EXISTING.items()))
    dates = forms.ChoiceField(label=_("Days are written as"), choices=list(plans.DATES.items()))
    numbers = forms.ChoiceField(label=_("Numbers are written as"), choices=list(plans.NUMBERS.items()))

    def __init__(self, plan: Plan, *, kind: Kind, names: list[str]) -> None:
        super().__init__(initial=plan.as_json() | {f"column-{n}": key for n, key in enumerate(plan.columns)})
        found_by = [(one.key, one.label) for one in plans.matchable(kind)]
        match = self.fields["match"]
        assert isinstance(match, forms.ChoiceField)
        match.choices = [(NOTHING, _now("Nothing: every row is new")), *found_by, (ID, _now("Record ID"))]
        options = [(NOTHING, _now("Do not import")), *((one.key, one.label) for one in kind.properties)]
        for place, name in enumerate(names):
            self.fields[f"column-{place}"] = forms.ChoiceField(
                label=_now("What “%(name)s” is") % {"name": name},
                choices=[*options, (ID, _now("Record ID"))],
                required=False,
            )
        self.said: list[str] = []

    @staticmethod
    def plan(given: QueryDict, before: Plan) -> Plan:
        """What was chosen. What cannot come from the page stays as it was."""
        known = {"encoding": sniffing.ENCODINGS, "delimiter": sniffing.DELIMITERS}
        chosen = {key: str(given[key]) for key in CHOICES if key in given}
        chosen = {key: value for key, value in chosen.items() if value in known.get(key, (value,))}
        number = sum(1 for name in given if name.startswith("column-"))
        columns = tuple(given.get(f"column-{place}", NOTHING) for place in range(min(number, plans.MOST_COLUMNS)))
        return replace(before, **chosen, header="header" in given, columns=columns)

    def columns(self) -> list[forms.BoundField]:
        """The fields of the columns, in their order."""
        return [self[name] for name in self.fields if name.startswith("column-")]

    def refuse(self, error: InvalidPlan) -> None:
        """Put what the domain said beside the fields; what belongs to none of them, above."""
        self.cleaned_data = {}
        self.errors.clear()
        for key, lines in error.fields.items():
            name = key.replace("columns[", "column-").removesuffix("]")
            for line in lines:
                if name in self.fields:
                    self.add_error(name, line)
                else:
                    self.said.append(line)
