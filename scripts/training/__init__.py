"""Trains the two models of a model directory from a table or from exported outcomes."""
