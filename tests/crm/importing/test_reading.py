"""Files as they are found in the world: every row is read, or has a sentence; nothing swallows the rest."""

import codecs
import random

import pytest

from crm.importing import deciding, reading, sniffing
from crm.importing.plans import InvalidPlan, Plan
from crm.importing.uploading import beginning_of
from crm.models import ImportJob, ImportRow, Record
from tests.crm.importing.conftest import carry_on, forecasts, reasons

NASTY = ["mia@example.com", "a@b.example", "Zoë", "=1+1", "x" * 400, *'"",,,;;\n\n\n\r\t|\0 ']
NASTY += "\u2028\u202e\ufeff🏔م'@:\x1a"
HEAD = "E-mail,First name\n"


def read(text, delimiter=","):
    lines = sniffing.lines_of("utf-8", text.encode(), is_whole=True)
    return list(reading.rows(lines, delimiter=delimiter, encoding="utf-8"))


def cells(text, delimiter=","):
    return [row.cells for row in read(text, delimiter)]


def test_a_row_knows_its_line_and_its_bytes():
    rows = read('a,b\n\n"two\nlines",ü\nc,d')

    assert [(row.line, row.cells) for row in rows] == [(1, ["a", "b"]), (3, ["two\nlines", "ü"]), (5, ["c", "d"])]
    assert [row.size for row in rows] == [4, 1 + 15, 3]
    assert [row.lines for row in rows] == [1, 3, 1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_like(end):
    assert cells(end.join(["a,b", "c,d", ""])) == [["a", "b"], ["c", "d"]]


def test_what_only_looks_like_the_end_of_a_line_is_text():
    assert cells("a\u2028b,c\x0bd\ne,f") == [["a\u2028b", "c\x0bd"], ["e", "f"]]


def test_a_quote_that_never_closes_costs_one_row():
    rows = read('a,b\n"broken,c\nd,e\nf,g\n')

    assert [row.cells for row in rows] == [["a", "b"], ['"broken,c'], ["d", "e"], ["f", "g"]]
    assert [bool(row.problem) for row in rows] == [False, True, False, False]
    assert "quote" in rows[1].problem


def test_text_behind_a_closing_quote_costs_one_row():
    rows = read('a,b\n"x"y,c\nd,e\n')

    assert [bool(row.problem) for row in rows] == [False, True, False]


def test_a_cell_without_an_end_costs_one_row():
    rows = read(f"a,b\n{'x' * 300_000},c\nd,e\n")

    assert [bool(row.problem) for row in rows] == [False, True, False]
    assert len(rows[1].cells[0]) == reading.SHOWN


def test_blank_lines_and_empty_rows_are_no_rows():
    assert cells("a,b\n\n,,\n  \nc,d\n\n") == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "cp1252", "mac-roman"])
def test_a_chunk_ends_at_the_byte_where_the_next_begins(encoding):
    text = "".join(f"Zoë {n},Åsa\r\n" for n in range(50))
    content = text.encode(encoding)
    lines = sniffing.lines_of(encoding, content, is_whole=True)
    rows = list(reading.rows(lines, delimiter=",", encoding=encoding))

    assert sum(row.size for row in rows) == len(content)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (codecs.BOM_UTF8 + "Zoë".encode(), "utf-8"),
        ("Zoë".encode(), "utf-8"),
        ("Zoë Müller €".encode("cp1252"), "cp1252"),
        ("Zoë".encode("utf-16"), "utf-16-le"),
        ("First name,City".encode("utf-16-be"), "utf-16-be"),
        (b"\x81\x8d\x8f plain", "mac-roman"),
    ],
)
def test_the_encoding_is_found(content, encoding):
    assert sniffing.encoding_of(content) == encoding


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter):
    lines = [delimiter.join(row) + "\n" for row in (["Name", "City"], ["Oak, old", "Oslo"], ["Ash", "Åre"])]

    assert sniffing.delimiter_of(lines) == delimiter


@pytest.mark.parametrize(
    ("first", "found"),
    [("Name,City", True), ("Mia,mia@fjordline.example", False), ("Mia,12.5", False), ("Name,Name", False)],
)
def test_a_header_is_names(first, found):
    assert sniffing.has_header([f"{first}\n", "a,b\n"], ",") is found


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2026-11-30"], "iso"),
        (["30.11.2026"], "dmy"),
        (["03/04/2026", "25/04/2026"], "dmy"),
        (["03/04/2026", "04/25/2026"], "mdy"),
        (["03.04.2026"], "dmy"),
        (["soon"], "iso"),
    ],
)
def test_the_form_of_days_is_proposed(cells, form):
    assert sniffing.dates_of(cells) == form


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\r\n \r\n", "nothing but blanks"),
        (b"First name,City\r\n", "a header but no rows"),
        (b"PK\x03\x04 a spreadsheet", "This is no CSV file."),
    ],
)
def test_what_holds_no_rows_is_refused_in_words(uploaded, content, sentence):
    with pytest.raises(InvalidPlan) as refusal:
        uploaded(content)

    assert sentence in refusal.value.fields["file"][0]


def test_a_file_that_is_too_large_is_refused_in_words(uploaded, settings):
    settings.IMPORT_LARGEST_BYTES = 20
    with pytest.raises(InvalidPlan) as refusal:
        uploaded()

    assert "larger than" in refusal.value.fields["file"][0]


def test_a_file_of_too_many_rows_fails_with_a_sentence(tried, settings):
    settings.IMPORT_MOST_ROWS = 1
    job = tried()

    assert (job.state, job.problem) == ("failed", "The file has more than 1 rows. Split it.")


def test_a_header_with_the_same_name_twice_has_two_names():
    found = beginning_of(b"Phone,Phone,\n1,2,3\n", Plan(), is_whole=True)

    assert found.names == ["Phone", "Phone (2)", "Column 3"]


@pytest.mark.parametrize(
    "content",
    [
        "E-mail;First name;City\r\nzoë@café.example;Zoë;Málaga\r\n".encode("cp1252"),
        "E-mail\tFirst name\tCity\rzoë@café.example\tZoë\tMálaga\r".encode("utf-16"),
        codecs.BOM_UTF8 + "E-mail,First name,City\nzoë@café.example,Zoë,Málaga".encode(),
    ],
)
def test_files_of_many_programs_are_read(imported, content):
    job = imported(content)

    assert job.outcomes == {"created": 1}
    record = Record.objects.get()
    assert (record.values["first_name"], record.values["city"]) == ("Zoë", "Málaga")


def test_right_to_left_text_emoji_and_long_cells_are_kept(imported):
    job = imported(f"First name,City,Description\nمحمد,🏔️ Øygarden,{'x' * 10_000}\n")

    assert job.outcomes == {"created": 1}
    record = Record.objects.get()
    assert (record.title, record.values["city"], len(record.values["description"])) == ("محمد", "🏔️ Øygarden", 10_000)


def test_a_cell_that_is_too_long_for_its_property_is_refused_with_its_column(tried):
    job = tried(f"First name,City\n{'x' * 10_000},Oslo\nMia,Oslo\n")

    assert forecasts(job) == ["refused", "created"]
    assert reasons(job) == [("First name", "This is 10000 characters long; at most 1000 fit.")]


def test_every_bad_row_has_its_sentence_and_the_others_are_taken(imported):
    job = imported(
        HEAD + "mia@example.com,Mia\n"
        "a@example.com,A\0B\n"
        '"b@example.com"x,B\n'
        "c@example.com,C,too,many\n"
        "d@example.com\n"
        '"e@example.com,never closed\n'
    )

    assert job.outcomes == {"created": 2, "refused": 4}
    assert [sentence[:30] for _column, sentence in reasons(job)] == [
        "This row holds a NUL character",
        "The quotes in this row do not ",
        "This row has 4 cells for 2 col",
        "The quotes in this row do not ",
    ]
    assert set(Record.objects.values_list("address", flat=True)) == {"mia@example.com", "d@example.com"}


def test_a_file_is_read_a_piece_at_a_time_and_each_row_once(uploaded, monkeypatch):
    from crm.importing import files, running

    monkeypatch.setattr(files, "PIECE", 37)
    monkeypatch.setattr(running, "READ_AT_ONCE", 3)
    text = HEAD + "".join(f'm{n}@example.com,"Mïa\n{n}"\n\n' for n in range(20))
    job = uploaded(text)
    deciding.check(job, Plan.read(job.plan))
    carry_on()
    job.refresh_from_db()

    assert (job.state, job.rows) == ("checked", 20)
    assert [row.cells[1] for row in ImportRow.objects.order_by("number")] == [f"Mïa\n{n}" for n in range(20)]
    assert [row.line for row in ImportRow.objects.order_by("number")] == [2 + 3 * n for n in range(20)]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_file_holds_it_is_refused_in_words_or_every_row_has_one_outcome(uploaded, seed):
    chance = random.Random(seed)
    for _file in range(5):
        parts = chance.choices(NASTY, k=chance.randint(1, 120))
        raw = "".join(parts).encode(chance.choice(["utf-8", "utf-16", "cp1252", "utf-8-sig"]), errors="replace")
        raw += bytes(chance.choices(range(256), k=chance.choice([0, 0, 3])))
        try:
            job = uploaded(raw)
            deciding.check(job, Plan.read(job.plan | {"columns": ["email"] + [""] * (len(job.columns) - 1)}))
        except InvalidPlan:
            continue
        carry_on()
        deciding.start(ImportJob.objects.get(pk=job.pk))
        carry_on()
        job.refresh_from_db()

        assert job.state == "done"
        assert sum(job.forecast.values()) == sum(job.outcomes.values()) == job.rows
