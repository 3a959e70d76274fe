"""Formulas, one life-cycle stage a file; pure functions of numbers and vectors of draws."""
