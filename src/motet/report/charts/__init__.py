"""The charts: each takes the analysis and gives a drawing and what it says under the pointer."""

from .chart import Chart as Chart
from .chart import Hover as Hover
from .contacts import contact_chart as contact_chart
from .energy_distribution import energy_distribution_chart as energy_distribution_chart
from .energy_terms import energy_terms_chart as energy_terms_chart
from .free_energy import free_energy_chart as free_energy_chart
from .lines import lines_chart as lines_chart
from .matrix import matrix_chart as matrix_chart
from .rmsf import rmsf_chart as rmsf_chart
from .scan import scan_chart as scan_chart
from .traces import traces_chart as traces_chart
