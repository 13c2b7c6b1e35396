"""A Bowler codemod: a function gets another name, wherever it is called."""

from bowler import Query


def query(*paths: str) -> Query:
    return Query(*paths).select_function("helper").rename("scaled")
