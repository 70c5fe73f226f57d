"""The documentation: pip install '.[docs]' && sphinx-build -W docs docs/_build."""

import re
from importlib.metadata import version as installed_version

project = "motet"
author = "The motet developers"
copyright = "the motet developers, Apache-2.0"
version = release = installed_version("motet")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["_build"]
nitpicky = False

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

# A face of a package, such as motet.geometry, re-exports what its modules define: document it there.
autodoc_default_options = {"members": True, "imported-members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 80

html_theme = "furo"
html_title = f"motet {release}"
html_static_path = []

# Docstrings are prose with Markdown's single backticks: `*batch` is code, and |x|² is no substitution.
default_role = "code"


def escape_prose(app, what, name, obj, options, lines):
    """Escape outside of backticks what reStructuredText would take as markup."""
    for row, line in enumerate(lines):
        pieces = line.split("`")
        pieces[::2] = [piece.replace("*", r"\*").replace("|", r"\|") for piece in pieces[::2]]
        lines[row] = re.sub(r"(`[^`]+`)(?=\w)", r"\1\\ ", "`".join(pieces))  # `pack`ed


def setup(app):
    app.connect("autodoc-process-docstring", escape_prose, priority=400)
