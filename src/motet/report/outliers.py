"""What there is to look at in a validated model: residue by residue, in words and in colours."""

import math
from typing import Any

from ..density.quality import MapQuality
from ..validation import Peptide, Validation, Verdict
from ..validation.cbeta import OUTLIER as CBETA_OUTLIER
from ..validation.covalent import OUTLIER as Z_OUTLIER
from .numbers import count, fixed
from .palette import FLEXIBILITY_RAMP

MOST = 100  # rows of the page's table
TROUBLE_RAMP = ("#9fb4c7", "#e6c36a", "#e07b39", "#b5261e")


def outlier_rows(found: Validation, quality: MapQuality | None) -> list[dict[str, str]]:
    """Residues of the first model with something wrong, those with most first."""
    q = q_of_residue(found, quality)
    troubles = [(row, troubles_of(found, row)) for row in range(found.structure.n_residues)]
    wrong = sorted((one for one in troubles if one[1]), key=lambda one: (-len(one[1]), one[0]))
    label = found.structure.topology.residue_label
    return [
        {
            "label": label(row),
            "what": "; ".join(said),
            "q": "" if (value := q[row]) is None else fixed(value, 2),
        }
        for row, said in wrong
    ]


def troubles_of(found: Validation, row: int) -> list[str]:
    """What is wrong with a residue of the first model, in words."""
    said = []
    if found.ramachandran.verdict[0, row] == Verdict.OUTLIER:
        phi, psi = (math.degrees(float(one[0, row])) for one in (found.ramachandran.phi, found.ramachandran.psi))
        said.append(f"Ramachandran outlier (φ {phi:.0f}°, ψ {psi:.0f}°)")
    if found.rotamers.verdict[0, row] == Verdict.OUTLIER:
        said.append("rotamer outlier")
    if clashes := int(found.clashes_of_residue[0, row]):
        said.append(
            f"{count(clashes, 'clash', 'clashes')}, {float(found.overlap_of_residue[0, row]):.2f} Å at worst"
        )
    if (away := float(found.cbeta.deviation[0, row])) >= CBETA_OUTLIER:
        said.append(f"Cβ {away:.2f} Å from its place")
    for what, z in (("bond", float(found.bond_z[0, row])), ("angle", float(found.angle_z[0, row]))):
        if z > Z_OUTLIER:
            said.append(f"{what} {z:.1f} standard deviations off")
    kind = int(found.peptide[0, row])
    proline = found.structure.topology.residue_names[row] == "PRO"
    if kind == Peptide.TWISTED or (kind == Peptide.CIS and not proline):
        said.append("cis peptide before it" if kind == Peptide.CIS else "twisted peptide before it")
    if found.mirrored[0, row]:
        said.append("a centre of the wrong hand")
    return said


def q_of_residue(found: Validation, quality: MapQuality | None) -> list[float | None]:
    """Mean Q of each residue; None where there is none."""
    if quality is None:
        return [None] * found.structure.n_residues
    return [None if q is None else round(q, 3) for q in quality.q_of_residues(found.structure.topology)]


def residue_words(found: Validation, quality: MapQuality | None) -> list[str]:
    """What the page says of each residue under the pointer."""
    q = q_of_residue(found, quality)
    words = []
    for row in range(found.structure.n_residues):
        lines = [found.structure.topology.residue_label(row)]
        lines += [f"Q {fixed(value, 2)}"] if (value := q[row]) is not None else []
        words.append("\n".join([*lines, *troubles_of(found, row)]))
    return words


def colours(found: Validation, quality: MapQuality | None) -> list[dict[str, Any]]:
    """Ways to colour the model: by Q where there is a map, and by how much is wrong."""
    troubles = {
        "name": "troubles",
        "title": "Outliers",
        "values": [min(len(troubles_of(found, row)), 3) for row in range(found.structure.n_residues)],
        "low": 0,
        "high": 3,
        "ramp": TROUBLE_RAMP,
        "least": "nothing",
        "most": "three outliers or more",
    }
    if quality is None:
        return [troubles]
    q = {
        "name": "q",
        "title": "Q",
        "values": q_of_residue(found, quality),
        "low": 0.0,
        "high": 0.9,
        "ramp": tuple(reversed(FLEXIBILITY_RAMP)),
        "least": "Q 0",
        "most": "Q 0.9",
    }
    return [q, troubles]
