"""What cctbx says of a model in its map: correlations and Ramachandran, as JSON. Runs in cctbx's own environment.

    python -m venv cctbx && cctbx/bin/pip install cctbx-base
    cctbx/bin/python benchmarks/science/cctbx_judge.py model.pdb map.mrc 3.2

CC needs nothing but cctbx-base; for Ramachandran unpack Top8000's contours (rama8000) into its chem_data folder.
Where they are missing, that part is left out.
"""

import json
import sys

import iotbx.pdb
import mmtbx.model
from iotbx.map_manager import map_manager
from iotbx.map_model_manager import map_model_manager
from libtbx.utils import Sorry, null_out
from mmtbx.maps import map_model_cc
from mmtbx.validation import ramalyze


def correlations(path: str, map_path: str, resolution: float) -> dict[str, float]:
    """CC_mask, CC_box and CC_volume of the heavy atoms, with electron scattering."""
    whole = map_manager(map_path)
    read = mmtbx.model.manager(
        model_input=iotbx.pdb.input(path), crystal_symmetry=whole.crystal_symmetry(), log=null_out()
    )
    heavy = read.select(~read.get_hd_selection())
    both = map_model_manager(model=heavy, map_manager=whole, ignore_symmetry_conflicts=True)
    model = both.model()
    model.setup_scattering_dictionaries(scattering_table="electron")
    settings = map_model_cc.master_params().extract()
    settings.map_model_cc.resolution = resolution
    settings.map_model_cc.scattering_table = "electron"
    judge = map_model_cc.map_model_cc(
        map_data=both.map_manager().map_data(),
        pdb_hierarchy=model.get_hierarchy(),
        crystal_symmetry=model.crystal_symmetry(),
        params=settings.map_model_cc,
    )
    judge.validate()
    judge.run()
    found = judge.get_results()
    return {"cc_mask": found.cc_mask, "cc_box": found.cc_box, "cc_volume": found.cc_volume}


def ramachandran(path: str) -> dict[str, float]:
    """Outliers and favoured residues, in percent."""
    try:
        found = ramalyze.ramalyze(iotbx.pdb.input(path).construct_hierarchy(), outliers_only=False)
    except Sorry:
        return {}
    return {"ramachandran_outliers": found.out_percent, "ramachandran_favoured": found.fav_percent}


if __name__ == "__main__":
    model, density, cutoff = sys.argv[1], sys.argv[2], float(sys.argv[3])
    sys.stdout, answer = sys.stderr, sys.stdout
    json.dump(correlations(model, density, cutoff) | ramachandran(model), answer)
