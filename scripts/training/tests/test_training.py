"""The whole way on small tables: from a CSV to a model directory, twice alike; what is chosen and what is refused."""

import contextlib
import io
import json
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

import numpy as np
import xgboost

from training import cli, pipeline
from training.calibrate import Isotonic, Platt
from training.fit import PRECISION, Machine, Settings, booster, margins
from training.metrics import auc
from training.table import read_columns
from training.tests.synthetic import drifting, without_time, write_csv

MACHINE = Machine(seed=1)


def run(*words: object) -> tuple[int, str]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli.main([str(word) for word in words])
    return code, said.getvalue()


class TrainingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.csv = Path(cls.folder.name) / "rows.csv"
        write_csv(without_time(), cls.csv)
        cls.first, cls.second = (Path(cls.folder.name) / name / "small" for name in ("one", "two"))
        for out in (cls.first, cls.second):
            code, said = run("--data", cls.csv, "--label", "label", "--id", "id", "--random", "--out", out)
            assert code == 0, said

    @classmethod
    def tearDownClass(cls) -> None:
        cls.folder.cleanup()

    def test_the_same_command_twice_writes_the_same_bytes(self) -> None:
        names = sorted(path.name for path in self.first.iterdir())
        self.assertEqual(names, ["CARD.md", "a.ubj", "b.ubj", "gains.png", "model.json", "reliability.png"])
        for name in names:
            self.assertEqual((self.first / name).read_bytes(), (self.second / name).read_bytes(), name)

    def test_what_the_directory_says_ranks_rows_of_a_file(self) -> None:
        """Reads the directory as the evaluator does: columns by name, codes by place, margins, blend, calibration."""
        said = json.loads((self.first / "model.json").read_text(encoding="utf-8"))
        self.assertEqual(set(said), set("schema name version target features models blend calibration strata reference info".split()))
        self.assertEqual(said["features"][2], {"name": "kind", "type": "category", "categories": ["high", "low", "none"]})
        columns = read_columns(self.csv)
        values = []
        for one in said["features"]:
            places = {name: at for at, name in enumerate(one.get("categories", []))}
            read = places.get if places else lambda cell: float(cell or "nan")
            values.append([read(cell) for cell in columns[one["name"]]])
        margin = {which: raw_margin(self.first / f"{which}.ubj", said, np.array(values, dtype=float).T) for which in "ab"}
        z = said["blend"]["w"] * margin["a"] + (1 - said["blend"]["w"]) * margin["b"] + said["blend"]["c"]
        words = {name: value for name, value in said["calibration"].items() if name != "kind"}
        calibration = Platt(**words) if said["calibration"]["kind"] == "platt" else Isotonic(**words)
        label = np.array([float(cell) for cell in columns["label"]])
        p = calibration.apply(z)
        self.assertGreater(auc(label, p), 0.75)
        self.assertLess(abs(p.mean() - label.mean()), 0.05)
        self.assertEqual(sum(said["reference"]["counts"]), 600)
        self.assertEqual(len(said["reference"]["edges"]), 9)
        cuts = [stratum["from"] for stratum in said["strata"]]
        self.assertEqual(cuts, sorted(cuts, reverse=True))

    def test_a_table_without_a_word_about_time_is_refused(self) -> None:
        code, said = run("--data", self.csv, "--label", "label", "--id", "id", "--out", self.first)
        self.assertEqual(code, 1)
        self.assertIn("a random split of rows with a time flatters", said)

    def test_an_id_that_comes_twice_is_refused(self) -> None:
        code, said = run("--data", self.csv, "--label", "label", "--id", "kind", "--random", "--out", self.first)
        self.assertEqual((code, "some values come twice" in said), (1, True))

    def test_of_too_few_successes_it_says_that_they_prove_nothing(self) -> None:
        few = Path(self.folder.name) / "few.csv"
        write_csv(without_time(90), few)
        code, said = run("--data", few, "--label", "label", "--id", "id", "--random", "--out", self.first.parent / "few")
        self.assertEqual((code, "rows of one label prove nothing" in said), (0, True), said)
        code, said = run("--data", self.csv, "--label", "label", "--id", "id", "--random", "--out", self.first)
        self.assertEqual((code, "prove nothing" in said), (0, False), said)

    def test_a_leak_is_refused_until_it_is_allowed_or_dropped(self) -> None:
        leaky = Path(self.folder.name) / "leaky.csv"
        lines = self.csv.read_text(encoding="utf-8").splitlines()
        lines = [f"{line},duration,balance" if at == 0 else f"{line},{at},{line[-1]}" for at, line in enumerate(lines)]
        leaky.write_text("\n".join(lines), encoding="utf-8")
        words = ["--data", leaky, "--label", "label", "--id", "id", "--random", "--out", self.first / "leaky"]
        code, said = run(*words)
        self.assertEqual((code, "known only after the call: duration" in said), (1, True), said)
        code, said = run(*words, "--allow", "duration")
        self.assertEqual((code, "known only after the call: duration" in said), (1, True), said)
        code, said = run(*words, "--drop", "duration")
        self.assertEqual((code, "--allow balance" in said), (1, True), said)
        self.assertFalse((self.first / "leaky").exists())


class ChoiceTest(unittest.TestCase):
    def test_a_world_that_turned_is_forgotten(self) -> None:
        table = drifting()
        split = pipeline.inner(table, 1)
        self.assertEqual(len(split), 3)
        chosen = pipeline.plan(table, MACHINE)
        self.assertNotEqual(str(chosen.a.recency), "all rows alike")

    def test_the_plan_does_not_know_the_holdout(self) -> None:
        """Turning every label of the hold-out changes nothing that was chosen, and all that is judged."""
        table = drifting()
        start = pipeline.holdout_start(table)
        turned = replace(table, label=np.where(np.arange(len(table)) < start, table.label, 1 - table.label))
        judged, other = pipeline.judge(table, MACHINE), pipeline.judge(turned, MACHINE)
        self.assertEqual(judged.plans, other.plans)
        self.assertAlmostEqual(auc(judged.label, judged.p), 1 - auc(other.label, other.p))

    def test_what_was_judged_is_what_is_delivered(self) -> None:
        table = drifting()
        judged = pipeline.judge(table, MACHINE)
        self.assertEqual(pipeline.delivered(table, judged, MACHINE), judged.plans[0])

    def test_folds_that_chose_each_for_themselves_leave_the_choice_to_all_rows(self) -> None:
        table = without_time()
        judged = pipeline.judge(table, MACHINE)
        self.assertEqual(len(judged.plans), 4)
        self.assertEqual(pipeline.delivered(table, judged, MACHINE), pipeline.plan(table, MACHINE))

    def test_the_level_of_a_period_is_not_learned(self) -> None:
        """Successes come in waves that a column tells apart and nothing else does: the trees do not learn that column."""
        rng = np.random.default_rng(11)
        wave = np.arange(2400) // 400 % 2
        label = (rng.random(2400) < np.where(wave, 0.7, 0.1)).astype(float)
        table = drifting()
        values = np.column_stack([table.values[:, :2], wave])
        months = tuple(f"m{at}" for at in range(6))
        told = replace(table, values=values, label=label, block=np.arange(2400) // 400, moments=months)
        rows = np.arange(2400)
        settings = Settings(PRECISION[2], 100)
        spread = [margins(booster(one, rows, settings, MACHINE), told, rows) for one in (told, replace(told, block=None))]
        between = [abs(z[wave == 1].mean() - z[wave == 0].mean()) for z in spread]
        self.assertLess(between[0], 0.2)
        self.assertGreater(between[1], 1.5)

    def test_renewed_probabilities_follow_a_level_that_leaps(self) -> None:
        """In the hold-out twice as many buy: calibrated once they are too low, calibrated as the rows pass they are not."""
        table = drifting()
        rng = np.random.default_rng(13)
        start = pipeline.holdout_start(table)
        more = (np.arange(2400) >= start) & (rng.random(2400) < 0.6)
        judged = pipeline.judge(replace(table, label=np.maximum(table.label, more)), MACHINE)
        figures = pipeline.figures(judged, 1)
        self.assertGreater(figures["ece"], 0.15)
        self.assertLess(figures["ece_renewed"], figures["ece"] / 2)

    def test_weights_are_heard(self) -> None:
        """A weight of nothing on the rows of one kind turns what is learned."""
        table = without_time()
        against = replace(table, label=np.where(np.arange(600) % 2, table.label, 1 - table.label))
        heavy = replace(against, weight=np.where(np.arange(600) % 2, 50.0, 0.6))
        rows = np.arange(600)
        whole, flat = Settings(PRECISION[2], 60, flattened=1.0), Settings(PRECISION[2], 60)
        found = [margins(booster(one, rows, whole, MACHINE), table, rows) for one in (against, heavy)]
        self.assertGreater(auc(table.label, found[1]), auc(table.label, found[0]) + 0.1)
        np.testing.assert_array_equal(margins(booster(heavy, rows, flat, MACHINE), table, rows), found[0])


def raw_margin(path: Path, said: dict[str, list[dict[str, str]]], values: np.ndarray) -> np.ndarray:
    trees = xgboost.Booster(model_file=path)
    kinds = ["q" if one["type"] == "number" else "c" for one in said["features"]]
    rows = xgboost.DMatrix(values, feature_types=kinds, feature_names=trees.feature_names, enable_categorical=True)
    return trees.predict(rows, output_margin=True).astype(float)
