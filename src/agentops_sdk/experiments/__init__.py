"""Experiments: cases, a task, scorers; what came of it, and what is more than chance. Names load on first use.

::

    from agentops_sdk.experiments import contains, cost, tools_used

    result = agentops.experiment("refunds", "cases.jsonl", answer, [contains(), tools_used("refund"), cost(max=0.01)])
    print(result)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy

if TYPE_CHECKING:
    from agentops_sdk.experiments.experiment_cases import Case as Case
    from agentops_sdk.experiments.experiment_cases import cases_version as cases_version
    from agentops_sdk.experiments.experiment_cases import load_cases as load_cases
    from agentops_sdk.experiments.experiment_cases import save_cases as save_cases
    from agentops_sdk.experiments.experiment_comparison import ExperimentComparison as ExperimentComparison
    from agentops_sdk.experiments.experiment_results import CaseResult as CaseResult
    from agentops_sdk.experiments.experiment_results import Results as Results
    from agentops_sdk.experiments.experiment_results import load_results as load_results
    from agentops_sdk.experiments.experiment_run import Experiment as Experiment
    from agentops_sdk.experiments.experiment_run import experiment as experiment
    from agentops_sdk.experiments.model_judge import judge as judge
    from agentops_sdk.experiments.scorers import Score as Score
    from agentops_sdk.experiments.scorers import asserts as asserts
    from agentops_sdk.experiments.scorers import contains as contains
    from agentops_sdk.experiments.scorers import cost as cost
    from agentops_sdk.experiments.scorers import decision as decision
    from agentops_sdk.experiments.scorers import embedding as embedding
    from agentops_sdk.experiments.scorers import exact as exact
    from agentops_sdk.experiments.scorers import json_schema as json_schema
    from agentops_sdk.experiments.scorers import latency as latency
    from agentops_sdk.experiments.scorers import numeric as numeric
    from agentops_sdk.experiments.scorers import regex as regex
    from agentops_sdk.experiments.scorers import tools_used as tools_used

__all__ = [
    "Case", "CaseResult", "Experiment", "ExperimentComparison", "Results", "Score", "asserts", "cases_version",
    "contains", "cost", "decision", "embedding", "exact", "experiment", "json_schema", "judge", "latency", "load_cases",
    "load_results", "numeric", "regex", "save_cases", "tools_used",
]  # fmt: skip
make_lazy(
    __name__,
    {
        "experiment_cases": "Case cases_version load_cases save_cases",
        "experiment_comparison": "ExperimentComparison",
        "experiment_results": "CaseResult Results load_results",
        "experiment_run": "Experiment experiment",
        "model_judge": "judge",
        "scorers": "Score asserts contains cost decision embedding exact json_schema latency numeric regex tools_used",
    },
)
