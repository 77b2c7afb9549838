"""Which sections of the evidence help with which articles and functions of frameworks, and what none of it shows."""

from __future__ import annotations

from typing import Final

__all__ = ["DOES_NOT_SHOW", "HELPS_WITH"]

HELPS_WITH: Final = (
    ("EU AI Act, Article 12(1) and (2) (record-keeping)", "Systems, Decisions, Incidents, Limits",
     "events are recorded automatically while a system runs, with their times, models and versions"),
    ("EU AI Act, Article 14(4)(d) and (e) (human oversight)", "Human oversight",
     "who approved, overrode, paused or changed what, and after how long"),
    ("EU AI Act, Articles 19(1) and 26(6) (logs kept by providers and deployers)", "Data",
     "what is kept and since when; these ask for six months at least, and how long it is kept is yours to set"),
    ("EU AI Act, Article 26(5) (monitoring by deployers)", "Incidents, Limits, Cost",
     "errors, alerts, limits that were reached and what was spent, over the period"),
    ("EU AI Act, Articles 72 and 73 (monitoring by providers, serious incidents)", "Incidents, Limits",
     "errors, alerts and limits that were reached; whether one is a serious incident is for you to judge"),
    ("NIST AI RMF, GOVERN 1.6 (inventory)", "Systems", "agents, models, tools and prompts that were in use"),
    ("NIST AI RMF, MAP 3.5 and MANAGE 2.4 (human oversight; superseding and switching off)", "Human oversight",
     "that it took place: approvals, overrides, pauses"),
    ("NIST AI RMF, MEASURE 2.4 and 2.7 (behaviour in production, security)", "Incidents, Limits, Cost",
     "figures over time, and security findings"),
    ("NIST AI RMF, MANAGE 4.1 and 4.3 (monitoring after deployment, incidents)", "Incidents, Human oversight",
     "what went wrong, and what was done about it"),
    ("ISO/IEC 42001, A.6.2.6 and A.6.2.8 (operation and monitoring, event logs)", "Systems, Incidents, Decisions",
     "event logs of the operation"),
    ("ISO/IEC 42001, A.9 (use of AI systems)", "Systems, Human oversight",
     "which agents were used, and who approved, overrode or paused them"),
)  # fmt: skip
DOES_NOT_SHOW: Final = (
    "Those articles of the EU AI Act are about high-risk systems; whether yours is one is not answered here.",
    "Monitoring plans, reports to authorities and their deadlines are not in it, nor who may oversee a system.",
    "Unless set otherwise, trace files are deleted after 30 days or beyond 512 MB: too early for six months of logs.",
    "Security findings are signs, some of which are wrong; that there are none shows nothing.",
    "Only what was recorded is here: runs that were not traced, or not sampled, or whose files were deleted are not.",
    "Numbers and titles of ISO/IEC 42001 are from what is published about it: compare with your copy of the standard.",
    "It says what models and people did, not whether that was right, fair or lawful.",
    "It is not a conformity assessment, a risk assessment, or legal advice, and it proves no compliance.",
    "Figures come from the processes whose directory this is; others have directories of their own.",
    "The audit log shows what was changed after it was written, not whether what was written is true.",
    "An unknown cost is unknown, and in no sum.",
)
