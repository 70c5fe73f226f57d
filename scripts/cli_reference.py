"""Keep every command's help in `docs/reference/cli.md`.

`python scripts/cli_reference.py` writes the page; with `--check` it only says whether the page is stale.
"""

import difflib
import os
import sys
from pathlib import Path

from typer import Typer
from typer.testing import CliRunner

from motet.cli.app import app

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
HEAD = """# The command line

Every command's `--help`, as `python scripts/cli_reference.py` wrote it. Exit codes: 0 all done, 1 some inputs of a
batch failed (they are listed at the end), 2 the request is wrong. Results go to stdout, words to stderr.
"""


def page() -> str:
    asked = [[], *([name] for name in names_of(app))]
    for group in app.registered_groups:
        asked += [[group.name], *([group.name, name] for name in names_of(group.typer_instance))]
    return HEAD + "".join(section(arguments) for arguments in asked)


def names_of(group: Typer) -> list[str]:
    return [command.name or command.callback.__name__ for command in group.registered_commands]


def section(arguments: list[str]) -> str:
    title = " ".join(["motet", *arguments])
    return f"\n## {title}\n\n```text\n{help_of(arguments).rstrip()}\n```\n"


def help_of(arguments: list[str]) -> str:
    os.environ["COLUMNS"] = "100"
    os.environ["NO_COLOR"] = "1"
    done = CliRunner().invoke(app, [*arguments, "--help"], prog_name="motet", terminal_width=100)
    if done.exit_code:
        raise SystemExit(f"motet {' '.join(arguments)} --help ends with {done.exit_code}: {done.output}")
    return "\n".join(line.rstrip() for line in done.output.splitlines())


def main() -> None:
    fresh = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(fresh, encoding="utf-8")
        return
    kept = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if kept != fresh:
        sys.stdout.writelines(difflib.unified_diff(kept.splitlines(True), fresh.splitlines(True), "kept", "fresh"))
        raise SystemExit("docs/reference/cli.md is stale: run python scripts/cli_reference.py")


if __name__ == "__main__":
    main()
