"""Stains other than a proliferation count: where in the cell the DAB lies, how it is spread, how much there is."""
