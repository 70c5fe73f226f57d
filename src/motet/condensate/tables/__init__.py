"""Fitted and published numbers of the residue-level model."""
