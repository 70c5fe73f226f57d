"""Side chains in the rotamers that go together best: `repacked(structure, force_field=ForceField())`.

Every rotamer of every residue is copied beside the protein; the force field's own terms say what each copy
and each two of them cost; annealing chooses.
"""

from .anneal import Annealing as Annealing
from .repack import Packing as Packing
from .repack import repacked as repacked
from .repack import repacked_each as repacked_each
