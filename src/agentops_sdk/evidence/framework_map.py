"""Which sections of the evidence help with which articles and functions of frameworks, and what none of it shows."""

from __future__ import annotations

from typing import Final

__all__ = ["DOES_NOT_SHOW", "HELPS_WITH"]

HELPS_WITH: Final = (
    ("EU AI Act, Article 12 (record-keeping)", "Systems, Decisions, Incidents, Limits",
     "events are recorded automatically while a system runs, with their times, models and versions"),
    ("EU AI Act, Article 14 (human oversight)", "Human oversight",
     "who approved, overrode, paused or changed what, and after how long"),
    ("EU AI Act, Article 19 and 26(6) (logs kept by providers and deployers)", "Data",
     "what is kept and since when; these ask for six months at least, and how long it is kept is yours to set"),
    ("EU AI Act, Article 72 and 73 (monitoring, serious incidents)", "Incidents, Limits",
     "errors, alerts and limits that were reached; whether one is a serious incident is for you to judge"),
    ("NIST AI RMF, MAP and GOVERN", "Systems", "an inventory of agents, models, tools and prompts that were in use"),
    ("NIST AI RMF, MEASURE and MANAGE", "Incidents, Limits, Cost, Human oversight",
     "figures over time, and what was done about them"),
    ("ISO/IEC 42001, A.6.2.6 and A.6.2.8 (operation and monitoring, event logs)", "Systems, Incidents, Decisions",
     "event logs of the operation"),
    ("ISO/IEC 42001, A.9 (use of AI systems)", "Systems, Human oversight",
     "which agents were used, and who approved, overrode or paused them"),
)  # fmt: skip
DOES_NOT_SHOW: Final = (
    "Those articles of the EU AI Act are about high-risk systems; whether yours is one is not answered here.",
    "Monitoring plans, reports to authorities and their deadlines are not in it.",
    "Security findings are signs, some of which are wrong; that there are none shows nothing.",
    "Only what was recorded is here: runs that were not traced, or not sampled, or whose files were deleted are not.",
    "It says what models and people did, not whether that was right, fair or lawful.",
    "It is not a conformity assessment, a risk assessment, or legal advice, and it proves no compliance.",
    "Figures come from the processes whose directory this is; others have directories of their own.",
    "The audit log shows what was changed after it was written, not whether what was written is true.",
    "An unknown cost is unknown, and in no sum.",
)
