"""Python source as one piece of safe, coloured HTML per line."""

from __future__ import annotations

import markupsafe
from pygments import formatters, lexers, token

from report import unit


def _css_class(kind: token._TokenType) -> str:
    """The short class of the nearest ancestor that has one."""
    while kind not in token.STANDARD_TYPES:
        kind = kind.parent
    return token.STANDARD_TYPES[kind]


def _span(css: str, text: str) -> markupsafe.Markup:
    if not css or not text.strip():
        return markupsafe.escape(text)
    return markupsafe.Markup('<span class="{}">{}</span>').format(css, text)


def lines(source: str) -> list[markupsafe.Markup]:
    """One piece of HTML for each line of `source`."""
    lexer = lexers.PythonLexer(stripnl=False, ensurenl=False)
    result = [markupsafe.Markup()]
    for kind, text in lexer.get_tokens(source):
        css = _css_class(kind)
        first, *rest = text.split("\n")
        result[-1] += _span(css, first)
        result.extend(_span(css, part) for part in rest)
    return result[: unit.line_count(source)]


def style(name: str, scope: str) -> str:
    """The colours of one Pygments style for elements below `scope`, without backgrounds."""
    formatter = formatters.HtmlFormatter(style=name)
    rules = []
    for css, (declarations, kind, _) in sorted(formatter.class2style.items()):
        kept = [d for d in declarations.split("; ") if not d.startswith(("background", "border"))]
        if css and kept and kind is not token.Error:
            rules.append(f"{scope} .{css} {{ {'; '.join(kept)} }}")
    return "\n".join(rules)
