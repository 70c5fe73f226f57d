"""The command line: one file a command; heavy imports stay inside the commands, so that `--help` is instant."""

from .app import main as main
