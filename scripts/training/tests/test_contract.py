"""What must never be a feature."""

import re
import unittest
from dataclasses import replace
from pathlib import Path

import numpy as np

from training import contract
from training.refused import Refused
from training.table import Feature, Table
from training.tests.synthetic import without_time

OUTCOMES = Path(__file__).parents[3] / "docs/OUTCOMES.md"


def with_column(name: str, column: np.ndarray, categories: tuple[str, ...] | None = None) -> Table:
    table = without_time()
    return replace(table, features=(*table.features, Feature(name, categories)), values=np.column_stack([table.values, column]))


class ContractTest(unittest.TestCase):
    def test_every_column_of_the_outcome_record_is_known_at_the_dial_or_after_it_or_an_identity(self) -> None:
        record = OUTCOMES.read_text(encoding="utf-8").split("## The record")[1].split("## Labels")[0]
        documented = re.findall(r"^\| `(\w+)` \|", record, flags=re.MULTILINE)
        self.assertGreater(len(documented), 60)
        kinds = (contract.KNOWN_AT_DIAL, contract.POST_CALL, contract.IDENTITIES)
        for name in documented:
            self.assertEqual(sum(name in kind for kind in kinds), 1, name)

    def test_what_is_known_after_the_call_is_refused_by_name(self) -> None:
        for name in ("duration", "talk_ms", "Duration", "call_result", "t_sent", "media_lost_share"):
            with self.assertRaisesRegex(Refused, f"known only after the call: {name}"):
                contract.refuse_post_call(["age", name])
        contract.refuse_post_call(["age", "local_hour", "attempt_no"])

    def test_a_feature_that_tells_everything_needs_an_explicit_word(self) -> None:
        table = without_time()
        noise = np.random.default_rng(1).normal(scale=0.4, size=len(table))
        for column in (table.label + noise, -table.label + noise, np.where(table.label > 0, np.nan, noise)):
            leaky = with_column("balance", column)
            with self.assertRaisesRegex(Refused, "`balance` alone reaches an AUC of .*--allow balance"):
                contract.refuse_too_good(leaky, [])
            self.assertGreater(contract.refuse_too_good(leaky, ["balance"])["balance"], 0.8)

    def test_a_category_that_tells_everything_needs_an_explicit_word(self) -> None:
        with self.assertRaisesRegex(Refused, "`reason` alone"):
            contract.refuse_too_good(with_column("reason", without_time().label, ("none", "sold")), [])

    def test_categories_without_meaning_do_not_look_good(self) -> None:
        codes = np.random.default_rng(2).integers(0, 60, 600).astype(float)
        table = with_column("branch", codes, tuple(f"b{at:02}" for at in range(60)))
        self.assertLess(abs(contract.refuse_too_good(table, [])["branch"] - 0.5), 0.08)

    def test_allowing_a_feature_that_is_not_there_is_refused(self) -> None:
        with self.assertRaisesRegex(Refused, "--allow balanse: no such feature"):
            contract.refuse_too_good(without_time(), ["balanse"])
