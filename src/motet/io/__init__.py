"""Files in, structures out, and back: one module a format; the content of a file decides what it is."""

from .a3m import Alignment as Alignment
from .a3m import read_a3m as read_a3m
from .alignment_sets import read_alignments as read_alignments
from .fasta import Sequence as Sequence
from .fasta import read_fasta as read_fasta
from .mrc import MapFile as MapFile
from .mrc import read_map as read_map
from .mrc_writer import write_map as write_map
from .opening import load as load
from .predictions import Predictions as Predictions
from .predictions import holds_predictions as holds_predictions
from .predictions import read_predictions as read_predictions
from .read import read as read
from .sniff import Kind as Kind
from .sniff import sniff as sniff
from .trajectory import read_trajectory as read_trajectory
from .trajectory import stream_trajectory as stream_trajectory
from .trajectory import write_trajectory as write_trajectory
from .trajectory_sets import Trajectory as Trajectory
from .trajectory_sets import find_trajectories as find_trajectories
from .weights import read_weights as read_weights
from .write import suffix_for as suffix_for
from .write import write as write
from .writing import atomic_write as atomic_write
from .writing import write_table as write_table
from .writing import write_text as write_text
