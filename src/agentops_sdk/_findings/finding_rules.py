"""The rules of security findings: what each looks for, how sure it is, and what it gets wrong. Their docs' source."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["RULES", "Finding", "Rule"]


class Rule(NamedTuple):
    """One rule.

    Attributes:
        name: in ``agentops.findings``, ``stats --by finding`` and ``agentops.alert("findings of NAME > 0")``.
        looks_for: in a sentence.
        confidences: what it says of a finding, from 0 to 1, and when.
        wrong_about: what else looks like it, and what of it is not seen.
    """

    name: str
    looks_for: str
    confidences: tuple[tuple[float, str], ...]
    wrong_about: str


class Finding(NamedTuple):
    """One finding, on the span at whose end it was made.

    Attributes:
        rule: its name.
        confidence: from 0 to 1.
        why: in a sentence that quotes nothing.
        source: id of the span that it goes back to, where that is another one.
    """

    rule: str
    confidence: float
    why: str
    source: int = 0


RULES: Final = (
    Rule(
        "injection_followed",
        "words that give an assistant orders, in the result of a tool or in a retrieved document, also spelt out, with "
        "invisible signs or in base64, and after it in the same run an action that is unusual",
        ((0.9, "its arguments, or a picture or link of the answer, hold an address of that result that no user wrote"),
         (0.6, "an action that the user did not ask for (to send, write, pay, delete, execute) is its tool's first"),
         (0.4, "such an action holds what only a result without such words names, which asks for it or addresses it")),
        "documents about such attacks; orders in other words that name nothing, in pictures, or spread over several "
        "results; languages other than six of Europe; actions that the user asked for, too, and at 0.4 work that is "
        "handed over in a document, such as a ticket",
    ),
    Rule(
        "tool_outside_list",
        "a tool that ran in an agent whose model had been offered tools, and not this one",
        ((0.8, "the call has an id of the model's"), (0.4, "it has none: the program itself may have called it")),
        "helpers that are decorated as tools and that the program calls; agents whose model calls are not recorded",
    ),
    Rule(
        "secret_leaves",
        "something read where secrets are kept, or that held one, and after it in the same run a tool that talks to "
        "the network and whose arguments hold a part of it, or an answer with a picture or link that does",
        ((0.9, "20 characters of it or more stand there, as they are, encoded, backwards or broken up"),
         (0.7, "the arguments hold a secret of the same sort, which was redacted in both")),
        "a login that is meant to send what it has read; secrets of words, or that were encrypted, cut or told in "
        "other words; a secret that was redacted where it was read and is not recognised where it is sent",
    ),
    Rule(
        "new_host",
        "a tool that calls a host which no run of its agent in this process has called, after 20 runs that called any, "
        "of which the last 10 called no new one",
        ((0.4, "always"),),
        "a rare but usual host; the first runs of a process; hosts below one domain are taken for one",
    ),
    Rule(
        "jailbreak_refused",
        "a model that refused, or whose answer was filtered, or a message of the user that asks it to act without "
        "rules and that it refused in words",
        ((0.9, "both: such a message, and a refusal that the provider reports as one"),
         (0.6, "such a message, and an answer that begins as refusals do"),
         (0.5, "a refusal that the provider reports as one, and no such message")),
        "fiction and tests; refusals in other words; what was not refused is not seen",
    ),
)  # fmt: skip
