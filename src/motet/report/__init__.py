"""The report: one HTML file that shows an analysis, opens from disk and asks the network for nothing.

It computes nothing but what drawing needs: quantiles for a box, a superposition so that models lie on each other.
"""

from .page import render as render
from .page import write as write
