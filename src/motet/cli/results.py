"""Everything that is written about an analysed ensemble: tables, models, views and the report."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ensemble import Analysis
    from ..ensemble.run_record import RunRecord


def write_results(analysis: "Analysis", record: "RunRecord", directory: Path) -> None:
    """Write tables, models, views, citations and the report."""
    from .. import report
    from ..ensemble.exports import export
    from ..report.literature import behind, write_citations
    from ..report.viewers import write_views

    export(analysis, directory)
    write_views(analysis, directory)
    write_citations(directory, behind(analysis.ensemble))
    report.write(analysis, record, directory)
