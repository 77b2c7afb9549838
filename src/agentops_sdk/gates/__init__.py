"""Whether a candidate may go on: rules, figures and verdicts over two sets of runs."""
