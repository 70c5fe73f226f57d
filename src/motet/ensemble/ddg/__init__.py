"""How mutations change stability: `stability_changes(prepared(structure), [["A:L14A"]])`.

Positive ΔΔG destabilises. The force field's terms, fitted on measurements, are taken on both sides of a pair of
structures packed alike; a small learned model of which residue belongs where stands beside them, or is left out.
"""

from .journal import Journal as Journal
from .mutant_lists import parse_mutants as parse_mutants
from .mutant_lists import read_mutants as read_mutants
from .mutant_lists import write_changes as write_changes
from .mutant_lists import write_changes_parquet as write_changes_parquet
from .packed_pairs import AT_ONCE as AT_ONCE
from .prediction import StabilityChange as StabilityChange
from .prediction import StabilityModel as StabilityModel
from .prediction import each_stability_change as each_stability_change
from .prediction import stability_changes as stability_changes
from .scan import saturation as saturation
