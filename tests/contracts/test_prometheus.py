"""Prometheus text becomes records; what cannot be read is told, line by line."""

import json

import pytest

from kilowhat.ledger.prometheus import NOT_A_SAMPLE, NOT_FINITE, UNREADABLE_TIME, records

NAME = "vllm:generation_tokens_total"


def read(text: str, default_time: float | None = None, **options):
    """The records of a text, and the refused lines with their reasons."""
    refused = []
    found = records(text.splitlines(), default_time, lambda *told: refused.append(told), **options)
    return [json.loads(record) for record in found], refused


def test_a_record_has_all_that_a_sample_says():
    found, refused = read(f'{NAME}{{model_name="m",engine="0"}} 12.0 1735725600123')
    assert refused == []
    assert found == [
        {
            "name": NAME, "labels": {"engine": "0", "model_name": "m"}, "value": 12.0,
            "time": 1735725600.123, "scrape": None, "start": None, "line": 1,
        }
    ]  # fmt: skip


def test_labels_are_in_order_so_that_series_can_be_compared():
    one, _ = read(f'{NAME}{{engine="0",model_name="m"}} 1')
    other, _ = read(f'{NAME}{{model_name="m", engine="0",}} 1')
    assert json.dumps(one) == json.dumps(other)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"a\"b", 'a"b'),
        (r"a\\b", "a\\b"),
        (r"a\nb", "a\nb"),
        (r"a\\nb", "a\\nb"),
        (r"C:\data", r"C:\data"),
        ("a}b", "a}b"),
        ('a,b=\\"c\\"', 'a,b="c"'),
        ("é # {", "é # {"),
        ("", ""),
    ],
)
def test_label_values_are_unescaped(written, meant):
    found, refused = read(f'{NAME}{{model_name="{written}",engine="0"}} 1')
    assert refused == []
    assert found[0]["labels"] == {"model_name": meant, "engine": "0"}


@pytest.mark.parametrize(
    ("line", "value", "time"),
    [
        (f"{NAME} 3", 3.0, 7.5),
        (f"{NAME} 1.2345e+06", 1234500.0, 7.5),
        (f"{NAME}\t.5\t1735725600000", 0.5, 1735725600.0),
        (f"{NAME}{{}} 3 1735725600.25", 3.0, 1735725600.25),  # OpenMetrics: seconds
        (f'{NAME}{{a="b"}} 3 # {{trace_id="x"}} 0.67 1735725600', 3.0, 7.5),
        (f"  {NAME}  3  ", 3.0, 7.5),
    ],
)
def test_values_and_times(line, value, time):
    found, refused = read(line, 7.5)
    assert refused == []
    assert (found[0]["value"], found[0]["time"]) == (value, time)


def test_a_comment_gives_the_time_of_what_follows():
    found, refused = read(
        f"{NAME} 1\n# scrape_time 1735725600\n{NAME} 2\n"
        f"# scrape_time 1735729200.5\n{NAME} 3\n{NAME} 4 1735730000000",
        5.0,
    )
    assert refused == []
    assert [each["time"] for each in found] == [5.0, 1735725600.0, 1735729200.5, 1735730000.0]
    assert [each["line"] for each in found] == [1, 3, 5, 6]


@pytest.mark.parametrize(
    ("text", "scrapes"),
    [
        (f'{NAME}{{e="0"}} 1\n{NAME}{{e="1"}} 1', [1, 1]),
        (f'{NAME}{{e="0"}} 1\n{NAME}{{e="0"}} 1\n{NAME}{{e="1"}} 1', [1, 2, 2]),
        (
            (
                f'# TYPE {NAME} counter\n{NAME}{{e="0"}} 1\n'
                f'# TYPE {NAME} counter\n{NAME}{{e="1"}} 1\n{NAME}{{e="0"}} 1'
            ),
            [1, 2, 2],
        ),
        (f'# scrape_time 5\n{NAME}{{e="0"}} 1\n# scrape_time 5\n{NAME}{{e="1"}} 1', [1, 2]),
        (f"process_start_time_seconds 1\n{NAME} 1\nprocess_start_time_seconds 1\n{NAME} 1", [1, 2]),
        (f"{NAME} 1 1735725600000\n{NAME} 1 1735725660000", [None, None]),
    ],
)
def test_a_new_scrape_begins_where_something_is_told_again(text, scrapes):
    found, refused = read(text)
    assert refused == []
    assert [each["scrape"] for each in found] == scrapes


def test_without_any_time_there_is_none():
    assert read(f"{NAME} 1")[0][0]["time"] is None


def test_the_start_of_the_process_goes_with_its_samples():
    found, refused = read(
        f'process_start_time_seconds{{instance="a"}} 100.5\n'
        f'process_start_time_seconds{{instance="b"}} 200.5\n'
        f'{NAME}{{engine="0",instance="b"}} 1\n'
        f'{NAME}{{engine="0",instance="a"}} 1\n'
        f'{NAME}{{engine="0",instance="c"}} 1\n'
        f'process_start_time_seconds{{instance="a"}} 300.5\n'
        f'{NAME}{{engine="0",instance="a"}} 1'
    )
    assert refused == []
    assert [each["start"] for each in found] == [200.5, 100.5, None, 300.5]


def test_other_samples_and_comments_are_left_out():
    text = (
        f"# HELP {NAME} Number of generation tokens processed.\n# TYPE {NAME} counter\n\n"
        'python_gc_objects_collected_total{generation="0"} 1\n'
        "vllm:num_requests_running NaN\n"
        '{"a.name.in.quotes", engine="0"} 1\n'
        f"{NAME} 1\n# EOF"
    )
    found, refused = read(text)
    assert refused == []
    assert [each["name"] for each in found] == [NAME]


def test_the_wanted_names_can_be_chosen():
    found, _ = read("a:b_total 1\nc:d_total 2", prefixes=("c:",))
    assert [each["name"] for each in found] == ["c:d_total"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"{NAME}", NOT_A_SAMPLE),
        (f'{NAME}{{engine="0"}}', NOT_A_SAMPLE),
        (f'{NAME}{{engine="0" 12', NOT_A_SAMPLE),
        (f'{NAME}{{engine="0}} 12', NOT_A_SAMPLE),
        (f"{NAME}{{engine=0}} 12", NOT_A_SAMPLE),
        (f'{NAME}{{engine="0",engine="1"}} 12', NOT_A_SAMPLE),
        (f'{NAME}{{0engine="0"}} 12', NOT_A_SAMPLE),
        (f'{NAME}{{a="b"c="d"}} 12', NOT_A_SAMPLE),
        (f"{NAME} 12 1735725600000 more", NOT_A_SAMPLE),
        (f"{NAME} NaN", NOT_FINITE),
        (f"{NAME} +Inf", NOT_FINITE),
        (f"{NAME} 1e999", NOT_FINITE),
        (f"{NAME} 1_000", NOT_FINITE),
        (f"{NAME} twelve", NOT_FINITE),
        (f"{NAME} 12 yesterday", UNREADABLE_TIME),
        ("# scrape_time yesterday", UNREADABLE_TIME),
        ("# scrape_time", UNREADABLE_TIME),
        ("<html>", NOT_A_SAMPLE),
        ("12", NOT_A_SAMPLE),
        ("process_start_time_seconds never", NOT_FINITE),
    ],
)
def test_lines_that_cannot_be_read_are_told_and_the_rest_goes_on(line, reason):
    found, refused = read(f"{NAME} 1\n{line}\n{NAME} 3")
    assert refused == [(2, reason)]
    assert [each["value"] for each in found] == [1.0, 3.0]


def test_a_hostile_line_takes_time_in_proportion_to_its_length():
    for line in (
        NAME + '{a="' + "\\" * 200_001 + "} 1",
        NAME + "{" + 'a="b",' * 50_000 + " 1",
        NAME + "{" + "," * 200_000 + "} 1",
        NAME + " " * 200_000 + "x",
    ):
        found, refused = read(line)
        assert found == []
        assert len(refused) == 1
