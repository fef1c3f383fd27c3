"""Tests of the training; `scripts/train-test` runs them."""
