"""Sizes, for both frameworks."""

WIDTHS = (8, 16)
