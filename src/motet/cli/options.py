"""Options that several commands share, each worded once."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Input: TypeAlias = Annotated[
    Path,
    typer.Argument(help="PDB or mmCIF file, .gz too; - reads stdin; a directory is a batch.", show_default=False),
]
Out: TypeAlias = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Directory for the results; named after the input when left out."),
]
Overwrite: TypeAlias = Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")]
Seed: TypeAlias = Annotated[int, typer.Option("--seed", help="Seed; replica i draws from seed + i.", min=0)]
DeviceName: TypeAlias = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
Threads: TypeAlias = Annotated[
    int, typer.Option("--threads", help="Processor threads; one is fastest below some thousand atoms.", min=1)
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for a program.")]
Temperature: TypeAlias = Annotated[float, typer.Option("--temperature", help="Temperature, in K.")]
Salt: TypeAlias = Annotated[float, typer.Option("--salt", help="Salt concentration, in mM.")]
Acidity: TypeAlias = Annotated[float, typer.Option("--ph", help="pH.")]
