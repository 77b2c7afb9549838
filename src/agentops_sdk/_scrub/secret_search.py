"""Where in a text secrets stand.

Searching runs in C wherever nothing stands: signs are found in one pass, or by the rare letters in them at the speed
of memchr, and only around them anything is looked at. Every look is bounded, so is their number.
"""

from __future__ import annotations

from collections.abc import Callable

from agentops_sdk._scrub.secret_pairs import TooMuchError, pairs
from agentops_sdk._scrub.secret_passages import passages
from agentops_sdk._scrub.secret_places import places
from agentops_sdk._scrub.secret_switches import switches
from agentops_sdk._scrub.secret_tokens import SECRET, Finding, private_keys, tokens
from agentops_sdk._scrub.sign_scan import add_signs, hits

__all__ = ["Finding", "TooMuchError", "search"]

_BEGIN = "-----begin"
add_signs([_BEGIN])


def search(text: str, inside: Callable[[str], bool]) -> list[Finding]:
    """Every secret in ``text``, in order, none overlapping another.

    Args:
        text: what is searched.
        inside: whether a text that was decoded from this one holds a secret.

    Raises:
        TooMuchError: structures under names of secrets nest so deep that looking costs more than it is worth.
    """
    # Signs are ASCII, and are found several times faster in text that is: other characters become one that is no sign.
    plain = text if text.isascii() else text.encode("ascii", "replace").decode("ascii")
    low = plain.lower()
    findings: list[Finding] = []
    known = hits(low)
    if _BEGIN in (low if known is None else known):
        findings += private_keys(text)
    findings += tokens(plain, low, inside, known)
    beside_names, stems = pairs(text, low, known)
    findings += beside_names
    if "-" in plain:
        findings += switches(plain)
    findings += places(text, low, stems, known)
    findings += passages(text, low, stems, low if known is None else known)
    return _merged(findings) if findings else findings


def _merged(findings: list[Finding]) -> list[Finding]:
    """In order; of those that overlap, the one that was found first gives the label, and all of it goes."""
    merged: list[Finding] = []
    for finding in sorted(findings, key=lambda one: one.start):
        if finding.end <= finding.start:
            continue
        if merged and finding.start < merged[-1].end:
            last = merged[-1]
            label = last.label if last.label != SECRET else finding.label
            merged[-1] = Finding(last.start, max(last.end, finding.end), label, last.quote or finding.quote)
        else:
            merged.append(finding)
    return merged
