"""Weights of the accurate detector."""
