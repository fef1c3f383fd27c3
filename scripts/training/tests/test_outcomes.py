"""Exported outcomes as a table: revisions, targets, weights, and what a feature may be."""

import contextlib
import csv
import io
import json
import tempfile
import unittest
from pathlib import Path

import numpy as np

from training import outcomes
from training.cli import main
from training.outcomes import Wanted
from training.refused import Refused


def attempt(at: int, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "attempt_id": f"a{at:03}",
        "revision": 0,
        "campaign": "spring",
        "event_timestamp": f"2026-11-{1 + at % 20:02}T09:00:00.000000Z",
        "created_timestamp": "2026-11-25T09:00:00.000000Z",
        "propensity": 1.0,
        "p_answer": 0.5,
        "local_hour": 9 + at % 10,
        "call_result": "answered" if at % 2 else "no_answer",
        "converted": (at % 4 == 1) if at % 2 else None,
        "one_way": None,
        "features": {"age": 20 + at % 50, "attrs": {"job": "clerk" if at % 3 else "none", "balance": at * 1.5}},
    }
    return row | changes


class OutcomesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def export(self, rows: list[dict[str, object]]) -> Path:
        day = Path(self.folder.name) / "dt=2026-11-01"
        day.mkdir(exist_ok=True)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (day / "outcomes-1-9.jsonl").write_text(text, encoding="utf-8")
        return Path(self.folder.name)

    def test_the_latest_revision_of_an_attempt_holds_and_rows_that_came_twice_count_once(self) -> None:
        rows = [attempt(at) for at in range(200)]
        first, last = (
            attempt(at, revision=1, created_timestamp="2026-11-26T09:00:00.000000Z", converted=False) for at in (1, 5)
        )
        table = outcomes.read(self.export([first, *rows, *rows[:50], last]), Wanted("convert"))
        self.assertEqual(len(table), 100)
        self.assertEqual(table.label.sum(), 48)

    def test_answer_learns_from_all_that_rang_and_convert_only_from_who_could_say(self) -> None:
        broken = [attempt(300, call_result="network_failure"), attempt(301, converted=True, one_way="we_hear_nothing")]
        path = self.export([attempt(at) for at in range(200)] + broken)
        answer, convert = outcomes.read(path, Wanted("answer", ["local_hour"])), outcomes.read(path, Wanted("convert"))
        self.assertEqual((len(answer), answer.label.sum()), (201, 101))
        self.assertEqual((len(convert), convert.label.sum()), (100, 50))
        self.assertEqual(answer.names, ["age", "balance", "job", "local_hour"])
        self.assertEqual(convert.names, ["age", "balance", "job"])

    def test_what_the_campaign_maps_is_no_feature(self) -> None:
        rows = []
        for at in range(200):
            mapped = {"score": at / 200, "value": at * 7.0, "tags": "vip" if at % 3 else "", "attempts_used": at % 2}
            rows.append(attempt(at, features={"age": at} | mapped))
        self.assertEqual(outcomes.read(self.export(rows), Wanted("answer")).names, ["age"])

    def test_rows_come_in_the_order_of_the_dials(self) -> None:
        table = outcomes.read(self.export([attempt(at) for at in range(200)][::-1]), Wanted("answer"))
        assert table.block is not None
        self.assertTrue(np.all(np.diff(table.block) >= 0))
        self.assertEqual(table.moments[0], "2026-11-01")

    def test_a_single_day_has_no_order_of_time_and_two_days_have(self) -> None:
        rows = [attempt(at, event_timestamp=f"2026-11-01T09:{at // 60:02}:{at % 60:02}.000000Z") for at in range(200)]
        self.assertIsNone(outcomes.read(self.export(rows), Wanted("answer")).block)
        rows[150:] = [row | {"event_timestamp": "2026-11-02T09:00:00.000000Z"} for row in rows[150:]]
        two = outcomes.read(self.export(rows), Wanted("answer"))
        np.testing.assert_array_equal(two.block, [0] * 150 + [1] * 50)
        self.assertIsNone(two.take(np.arange(150)).block)

    def test_what_came_after_the_dial_is_no_context(self) -> None:
        with self.assertRaisesRegex(Refused, "--context talk_ms: not known at the dial"):
            outcomes.read(self.export([attempt(at) for at in range(200)]), Wanted("answer", ["talk_ms"]))

    def test_a_list_with_a_column_from_after_the_call_is_refused(self) -> None:
        rows = [attempt(at, features={"age": at, "duration": at}) for at in range(200)]
        with self.assertRaisesRegex(Refused, "known only after the call: duration"):
            outcomes.read(self.export(rows), Wanted("answer"))

    def test_a_file_alone_is_refused_for_its_slots_lie_beside_it(self) -> None:
        path = self.export([attempt(1)]) / "dt=2026-11-01" / "outcomes-1-9.jsonl"
        with self.assertRaisesRegex(Refused, "is no folder: name the one that `goldenhour export` wrote to"):
            outcomes.read(path, Wanted("answer"))

    def test_an_export_without_features_says_so(self) -> None:
        row = attempt(1)
        del row["features"]
        with self.assertRaisesRegex(Refused, "without `features`: was it exported with --features"):
            outcomes.read(self.export([row]), Wanted("answer"))

    def test_csv_and_json_lines_say_the_same(self) -> None:
        rows = [attempt(at) for at in range(200)]
        path = Path(self.folder.name) / "flat" / "outcomes-1-9.csv"
        path.parent.mkdir()
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.DictWriter(file, rows[0].keys())
            out.writeheader()
            for row in rows:
                cells = {name: "" if value is None else value for name, value in row.items()}
                converted = {"converted": str(cells["converted"]).lower()}
                out.writerow(cells | converted | {"features": json.dumps(row["features"])})
        flat = outcomes.read(path.parent, Wanted("convert"))
        lines = outcomes.read(self.export(rows) / "dt=2026-11-01", Wanted("convert"))
        np.testing.assert_array_equal(flat.values, lines.values)
        np.testing.assert_array_equal(flat.label, lines.label)

    def test_of_several_campaigns_those_are_learned_from_that_are_named(self) -> None:
        path = self.export([attempt(at, campaign=("autumn", "spring", "winter")[at % 3]) for at in range(300)])
        with self.assertRaisesRegex(Refused, "attempts of 3 campaigns: say --campaign NAME.*: autumn, spring, winter"):
            outcomes.read(path, Wanted("answer"))
        self.assertEqual(len(outcomes.read(path, Wanted("answer", campaigns=["spring"]))), 100)
        self.assertEqual(len(outcomes.read(path, Wanted("answer", campaigns=["spring", "winter"]))), 200)
        with self.assertRaisesRegex(Refused, "--campaign summer: no attempt of these days is its; there are autumn, spring"):
            outcomes.read(path, Wanted("answer", campaigns=["summer"]))

    def test_days_may_be_left_out_at_both_ends(self) -> None:
        path = self.export([attempt(at) for at in range(200)])
        table = outcomes.read(path, Wanted("answer", since="2026-11-05", before="2026-11-09"))
        self.assertEqual(table.moments, ("2026-11-05", "2026-11-06", "2026-11-07", "2026-11-08"))
        with self.assertRaisesRegex(Refused, "no attempt of these days"):
            outcomes.read(path, Wanted("answer", since="2026-12-05"))

    def test_a_table_for_the_check_has_features_as_a_list_has_them_the_label_and_the_weight(self) -> None:
        path = self.export([attempt(at) for at in range(200)])
        file = Path(self.folder.name) / "table.csv"
        self.assertEqual(outcomes.write_table(path, Wanted("convert", since="2026-11-06"), file), 80)
        with file.open(newline="", encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened))
        self.assertEqual(list(rows[0]), ["age", "balance", "job", "label", "weight"])
        first = {"age": "25", "balance": "7.5", "job": "clerk", "label": "1", "weight": "1.0"}
        self.assertEqual(next(row for row in rows if row["balance"] == "7.5"), first)

    def test_a_column_that_the_table_needs_for_itself_is_refused(self) -> None:
        rows = [attempt(at, features={"age": at, "weight": at}) for at in range(200)]
        with self.assertRaisesRegex(Refused, "called `weight`.*--drop weight"):
            outcomes.write_table(self.export(rows), Wanted("convert"), Path(self.folder.name) / "table.csv")

    def test_options_of_one_source_are_refused_with_the_other(self) -> None:
        outcome, data = ["--outcomes", self.folder.name], ["--data", "x.csv", "--label", "y", "--id", "id", "--random"]
        for words, why in (
            ([*outcome, "--since", "2026-12-1"], "--since 2026-12-1: a day looks like 2026-12-01"),
            ([*data, "--before", "2026-12-01"], "--before goes with --outcomes"),
            ([*data, "--campaign", "spring"], "--campaign goes with --outcomes"),
            ([*outcome, "--time-order", "@row"], "--time-order goes with --data"),
            ([*data, "--table", "t.csv"], "--table is a table of --outcomes"),
        ):
            said = io.StringIO()
            with contextlib.redirect_stderr(said):
                self.assertEqual(main(words), 1)
            self.assertIn(why, said.getvalue())
