"""Choose runs: one table of filters, from which the command line, keyword arguments and the docs come."""
