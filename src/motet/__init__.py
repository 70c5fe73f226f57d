"""motet: proteins in motion. Read a structure, make its ensemble, weigh it, name its states."""

__version__ = "0.1.0"
