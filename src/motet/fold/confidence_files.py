"""How sure the network is, as files: aligned errors in AlphaFold's JSON, pLDDT as CSV."""

import json
from pathlib import Path

from ..io import write_table, write_text
from .prediction import AlignedErrors, Prediction


def write_aligned_errors(errors: AlignedErrors, path: Path, *, overwrite: bool = False) -> None:
    """PAE as the AlphaFold database has it: whole matrix, in Å to 0.01, and the largest error there can be."""
    matrix = [[round(value, 2) for value in row] for row in errors.expected.detach().float().cpu().tolist()]
    content = {
        "predicted_aligned_error": matrix,
        "max_predicted_aligned_error": errors.largest,
        "ptm": round(float(errors.tm_score), 4),
    }
    write_text(path, json.dumps([content]) + "\n", overwrite=overwrite)


def write_confidence(prediction: Prediction, query: str, path: Path, *, overwrite: bool = False) -> None:
    """One row a residue: number, letter and pLDDT."""
    values = enumerate(zip(query, prediction.plddt.tolist(), strict=True), start=1)
    rows = ((number, letter, f"{value:.2f}") for number, (letter, value) in values)
    write_table(path, ("number", "residue", "plddt"), rows, overwrite=overwrite)
