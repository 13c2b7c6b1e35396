"""Users' own codemods."""

from codemods.user import grammar

assert grammar  # before Bowler and fissix
