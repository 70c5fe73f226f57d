"""Is a model sound? Ramachandran, rotamers, clashes, bonds and angles, each against well-determined structures.

found = validated(structure)
found.summaries[0].molprobity_score
"""

from .cbeta import CBeta as CBeta
from .cbeta import cbeta as cbeta
from .clashes import Clashes as Clashes
from .clashes import clashes as clashes
from .covalent import Departures as Departures
from .covalent import Peptide as Peptide
from .covalent import angles as angles
from .covalent import bonds as bonds
from .covalent import mirrored as mirrored
from .covalent import peptides as peptides
from .grids import RAMACHANDRAN as RAMACHANDRAN
from .ramachandran import Ramachandran as Ramachandran
from .ramachandran import ramachandran as ramachandran
from .rotamers import Rotamers as Rotamers
from .rotamers import rotamers as rotamers
from .validation import Summary as Summary
from .validation import Validation as Validation
from .validation import molprobity_score as molprobity_score
from .validation import validated as validated
from .verdicts import Verdict as Verdict
