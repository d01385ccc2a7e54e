"""The store of cases and verdicts: append-only history, similar cases, survival."""
