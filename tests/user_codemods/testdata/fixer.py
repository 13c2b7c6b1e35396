"""A fixer, as Bowler and lib2to3 know them."""

from fissix.fixer_base import BaseFix
from fissix.fixer_util import Name


class FixRate(BaseFix):
    """`lr` becomes `learning_rate`."""

    PATTERN = "'lr'"

    def transform(self, node, results):
        node.replace(Name("learning_rate", prefix=node.prefix))
