"""Verdicts to HTML, PDF and JSON. Computes nothing: it chooses, orders, words and draws.

``content`` turns a worked-up case into a document of blocks once; ``html`` and ``pdf`` set that same document.
"""
