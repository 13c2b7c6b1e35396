"""Sizes of the shop's models."""

VOCAB = 100
DIM = 16
