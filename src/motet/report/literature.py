"""The works that a report leans on."""

from dataclasses import dataclass

from ..ensemble import Ensemble


@dataclass(frozen=True)
class Citation:
    """A published work: who and when, where, and its DOI."""

    authors: str
    where: str
    doi: str


KABSCH = Citation("Kabsch (1976)", "Acta Cryst. A 32, 922", "10.1107/S0567739476001873")
AMADEI = Citation("Amadei, Linssen, Berendsen (1993)", "Proteins 17, 412", "10.1002/prot.340170408")
LLOYD = Citation("Lloyd (1982)", "IEEE Trans. Inf. Theory 28, 129", "10.1109/TIT.1982.1056489")
ROUSSEEUW = Citation("Rousseeuw (1987)", "J. Comput. Appl. Math. 20, 53", "10.1016/0377-0427(87)90125-7")
KUENSCH = Citation("Künsch (1989)", "Ann. Statist. 17, 1217", "10.1214/aos/1176347265")
GELMAN = Citation("Gelman, Rubin (1992)", "Statist. Sci. 7, 457", "10.1214/ss/1177011136")
GEYER = Citation("Geyer (1992)", "Statist. Sci. 7, 473", "10.1214/ss/1177011137")
LANGEVIN = Citation("Leimkuhler, Matthews (2013)", "Appl. Math. Res. Express 2013, 34", "10.1093/amrx/abs010")
LAZARIDIS = Citation(
    "Lazaridis, Karplus (1999)",
    "Proteins 35, 133",
    "10.1002/(SICI)1097-0134(19990501)35:2<133::AID-PROT1>3.0.CO;2-N",
)
ENGH = Citation("Engh, Huber (2006)", "Int. Tables Cryst. F, 382", "10.1107/97809553602060000695")
MOLSTAR = Citation("Sehnal et al. (2021)", "Nucleic Acids Res. 49, W431", "10.1093/nar/gkab314")


def cited(ensemble: Ensemble) -> list[Citation]:
    """What this report leans on, in the order in which it is named."""
    generator = [LANGEVIN] if ensemble.provenance.generator == "langevin" else []
    energy = [LAZARIDIS, ENGH] if ensemble.energy_terms else []
    return [*generator, *energy, KABSCH, AMADEI, LLOYD, ROUSSEEUW, KUENSCH, GELMAN, GEYER, MOLSTAR]
