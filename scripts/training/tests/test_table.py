"""Reading a table: types, missing cells, order and what is refused."""

import gzip
import tempfile
import unittest
from pathlib import Path

import numpy as np

from training.refused import Refused
from training.table import build, infer, read_columns

LABELS = ["0", "1"] * 30


class TableTest(unittest.TestCase):
    def test_cells_that_are_all_numbers_make_a_number_and_na_is_missing_in_it(self) -> None:
        feature, _ = infer("x", ["1", "NA", "-2.5e1", "", "NaN", "null"])
        assert feature is not None
        self.assertIsNone(feature.categories)
        np.testing.assert_array_equal(feature.codes(["1", "NA", "-2.5e1", ""]), [1, np.nan, -25, np.nan])

    def test_inf_and_digits_with_underscores_are_no_numbers(self) -> None:
        for cell in ("inf", "1_000", " 1", "0x10", "nan"):
            feature, _ = infer("x", ["1", "2", cell])
            assert feature is not None
            self.assertIsNotNone(feature.categories, cell)

    def test_in_a_category_na_is_a_value_and_an_unknown_value_is_missing(self) -> None:
        feature, _ = infer("x", ["b", "NA", "", "a"])
        assert feature is not None
        self.assertEqual(feature.categories, ("NA", "a", "b"))
        np.testing.assert_array_equal(feature.codes(["NA", "b", "", "c"]), [0, 2, np.nan, np.nan])

    def test_text_with_many_values_is_left_out_and_said_so(self) -> None:
        feature, note = infer("name", [f"n{at}" for at in range(65)])
        self.assertIsNone(feature)
        self.assertIn("`name` is left out: text with 65 different values", note)

    def test_rows_are_ordered_by_time_and_equal_times_keep_their_order(self) -> None:
        columns = {"t": ["2024-02", "2024-01"] * 30, "x": [str(at) for at in range(60)], "label": ["0", "0", "1", "1"] * 15}
        table = build(columns, "label", ["x"], "t")
        assert table.block is not None
        self.assertEqual(table.moments, ("2024-01", "2024-02"))
        np.testing.assert_array_equal(table.values[:3, 0], [1, 3, 5])
        np.testing.assert_array_equal(table.block, [0] * 30 + [1] * 30)

    def test_times_that_are_numbers_are_ordered_as_numbers(self) -> None:
        table = build({"t": ["10", "9"] * 30, "x": [str(at) for at in range(60)], "label": ["0", "0", "1", "1"] * 15}, "label", ["x"], "t")
        self.assertEqual(table.moments, ("9", "10"))

    def test_a_row_without_its_time_is_refused(self) -> None:
        with self.assertRaisesRegex(Refused, "`t` is empty in row 3"):
            build({"t": ["1", ""] * 30, "x": LABELS, "label": LABELS}, "label", ["x"], "t")

    def test_a_label_that_is_neither_and_a_label_that_is_too_rare_are_refused(self) -> None:
        with self.assertRaisesRegex(Refused, "'2' is neither 0 nor 1"):
            build({"x": LABELS, "label": [*LABELS[:-1], "2"]}, "label", ["x"], None)
        with self.assertRaisesRegex(Refused, "at least 20 of each kind"):
            build({"x": LABELS, "label": ["0"] * 59 + ["1"]}, "label", ["x"], None)

    def test_gzip_is_told_by_its_first_bytes_and_a_short_row_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.csv"
            path.write_bytes(gzip.compress(b'a,b\n1,"x, y"\n'))
            self.assertEqual(read_columns(path), {"a": ["1"], "b": ["x, y"]})
            path.write_bytes(b"a,b\n1\n")
            with self.assertRaisesRegex(Refused, "row 2: 1 cells under 2 columns"):
                read_columns(path)
