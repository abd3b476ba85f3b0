"""Texts that try to be something else: markup, a header, a formula, a template, an expression."""

from __future__ import annotations

import random
from collections.abc import Iterator

LONGEST = 48
"""Three of them, on lines of their own, fit what the patient page shows of a note."""

MARKUP = [
    *("<script>evil()</script>", "<img src=x onerror=evil()>", "<svg/onload=evil()>", "<evil-node>"),
    *(
        "</td></table><evil-node>",
        "</script><evil-node>",
        "--><evil-node>",
        "]]><evil-node>",
        "</p><evil-node>",
    ),
    *('"><evil-node x="', "'><evil-node x='", '" onfocus=evil() evil-a="', "' x-init='evil()' evil-a='"),
    *("</title><evil-node>", "</style><evil-node>", "</textarea><evil-node>", "<a href=javascript:evil()>"),
    *("<iframe srcdoc='<evil-node>'>", "<math><mtext><evil-node>", "<base href=//evil.example>", "<!--evil"),
    *(
        "&lt;evil-node&gt;",
        "&#60;evil-node&#62;",
        "%3Cevil-node%3E",
        "\\u003cevil-node\\u003e",
        "\uff1cevil-node\uff1e",
    ),
    *("<evil-node/x=`", "<<evil-node>>", "<ScRiPt src=//evil.example>", "<form action=//evil.example>"),
]
COMPUTED = "83370007"
"""What a template among them would make of itself; no counter of a test gets there."""

TEMPLATES = [
    "{{ 7|add:83370000 }}",
    "{% debug %}",
    "${7*11910001}",
    "{{constructor.constructor('evil()')()}}",
    "__SECRET__",
]
HEADERS = [
    "\r\nBcc: evil@evil.example",
    "\nX-Evil: 1\n\nevil",
    "\r\n\r\n<evil-node>",
    "\x0bX-Evil: 1",
    "\x85X-Evil: 1",
]
HEADERS += [
    "\u2028X-Evil: 1",
    "a, evil@evil.example",
    "<evil@evil.example>",
    '"evil" <evil@evil.example>',
    "=?utf-8?q?=0AX-Evil:1?=",
]
FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "=cmd|'/c evil'!A0",
    '=HYPERLINK("//evil.example")',
    "a;=1+1",
    '",=1+1',
]
OTHERS = [
    "' OR 1=1 --",
    "\u202eevil\u202c",
    "\u200b=1+1",
    "../../etc/passwd",
    "a\x1bb",
    "\U0001d556\U0001d567vil",
    "%s%n%(x)s",
    "\ufeff",
]


def strings(number: int, seed: int = 1) -> Iterator[str]:
    """So many different ones, the same each time: the known kinds, then with things around them."""
    chance, seen = random.Random(seed), set[str]()
    kinds = [*MARKUP, *TEMPLATES, *HEADERS, *FORMULAS, *OTHERS]
    around = ["", " ", "'", '"', ">", "<", "&", "a", "é", ";", ",", "\\", "\u00a0", "/", "=", "\n"]
    while len(seen) < number:
        kind = kinds[len(seen)] if len(seen) < len(kinds) else chance.choice(kinds)
        rest = ["", ""] if len(seen) < len(kinds) else chance.choices(around, k=4)
        text = ("".join(rest[:2]) + kind + "".join(rest[2:]))[:LONGEST]
        if text not in seen:
            seen.add(text)
            yield text
