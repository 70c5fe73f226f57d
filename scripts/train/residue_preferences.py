"""Train the residue preferences: what stands at a place, and what stands there in its family.

Data: 5,590 chains of 40 to 128 residues with alignment profiles, ProMod3's structure data base (Debian's package
promod3-data, Apache-2.0; coordinates wwPDB, CC0). Chains that resemble a protein of the stability data (identity
of a local alignment of 30 % over 40 residues or more) are left out, so that a cross-validation over those proteins
never meets its own test proteins here.

    python scripts/train/residue_preferences.py ../shared/data preferences.safetensors

Writes a checkpoint after every epoch and goes on from it when it is there. Two minutes of one core.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from motet.ensemble.ddg.preferences import LETTERS, UNKNOWN, Places, ResiduePreferences

BATCH = 24  # chains
NOISE = 0.08  # Å, of every atom: a backbone is not known better
HIDDEN = 0.1  # of the neighbours' types
SUSPECT = 60  # score of BLOSUM62 above which an alignment is looked at closely


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    chains = Chains(options.data / "dynamics" / "promod3_chains" / "chains_len40_128.npz")
    allowed = np.setdiff1d(np.arange(len(chains.length)), similar(chains, options.data / "ddg"))
    held_out = allowed[::20]
    allowed = np.setdiff1d(allowed, held_out)
    print(f"{len(allowed)} chains to learn from, {len(held_out)} to watch", flush=True)
    network = ResiduePreferences()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-4)
    steps = options.epochs * (len(allowed) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    state, first = options.out.with_suffix(".state"), 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        first = saved["epoch"]
    for epoch in range(first, options.epochs):
        began = time.process_time()
        random = np.random.default_rng(options.seed + epoch)
        order = random.permutation(allowed)[: len(allowed) // BATCH * BATCH].reshape(-1, BATCH)
        losses = []
        for rows in order:
            places, native, family = chains.batch(rows, random)
            loss = cross_entropy(network(places), native, family, places.present)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        with torch.no_grad():
            watched = [
                float(cross_entropy(network(b[0]), b[1], b[2], b[0].present))
                for b in (chains.batch(part) for part in np.array_split(held_out, 8))
            ]
        print(
            f"epoch {epoch + 1}: {np.mean(losses):.4f}, watched {np.mean(watched):.4f}, "
            f"{time.process_time() - began:.0f} s",
            flush=True,
        )
        saved = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
        torch.save(saved | {"schedule": schedule.state_dict(), "epoch": epoch + 1}, state)
        save_file({name: value.half() for name, value in network.state_dict().items()}, options.out)


def cross_entropy(costs, native, family, present):
    """Of both answers, in nats a residue."""
    known = present & (native < UNKNOWN)
    one = costs[..., 0, :].gather(-1, native.clamp_max(UNKNOWN - 1)[..., None]).squeeze(-1)
    many = (costs[..., 1, :] * family).sum(-1)
    return (one[known].mean() + many[known].mean()) / 2


class Chains:
    """The chains, padded to batches."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as data:
            self.length, self.ids = data["length"], data["id"]
            self.start = np.cumsum(np.concatenate(([0], self.length)))
            self.letters = data["seq"].tobytes().decode("ascii")
            self.coords = data["coords"][:, :3].astype(np.float32) / 100
            profile = data["msa_freq"].astype(np.float32)
        code = {letter: number for number, letter in enumerate(LETTERS)}
        self.types = np.array([code.get(letter, UNKNOWN) for letter in self.letters])
        assert "".join(LETTERS) == "ACDEFGHIKLMNPQRSTVWY"
        total = profile.sum(-1, keepdims=True)
        self.profile = np.where(total > 0, profile / np.maximum(total, 1), 0.05)

    def sequence(self, chain: int) -> str:
        return self.letters[self.start[chain] : self.start[chain + 1]]

    def batch(self, chains, random=None):
        longest = int(self.length[chains].max())
        shape = len(chains), longest
        coords, types = np.zeros((*shape, 3, 3), np.float32), np.full(shape, UNKNOWN)
        family, present = np.zeros((*shape, UNKNOWN), np.float32), np.zeros(shape, bool)
        for row, chain in enumerate(chains):
            here, n = slice(self.start[chain], self.start[chain + 1]), int(self.length[chain])
            coords[row, :n], types[row, :n] = self.coords[here], self.types[here]
            family[row, :n], present[row, :n] = self.profile[here], True
        shown = types.copy()
        if random is not None:
            coords += NOISE * random.standard_normal(coords.shape).astype(np.float32)
            shown[random.random(shape) < HIDDEN] = UNKNOWN
        position = np.broadcast_to(np.arange(longest), shape).copy()
        places = Places(*(torch.from_numpy(one) for one in (coords, shown, position, present)))
        return places, torch.from_numpy(types), torch.from_numpy(family)


def similar(chains: Chains, stability: Path) -> np.ndarray:
    """Chains that resemble a protein of the stability data, by Smith-Waterman (parasail)."""
    import parasail

    known = [one for one in sorted(sequences(stability)) if len(one) > 15]
    queries = [(one, parasail.profile_create_sat(one, parasail.blosum62)) for one in known]
    found = []
    for chain in range(len(chains.length)):
        target = chains.sequence(chain).replace("U", "X")
        for query, profile in queries:
            if parasail.sw_striped_profile_sat(profile, target, 11, 1).score < SUSPECT:
                continue
            result = parasail.sw_stats_striped_sat(query, target, 11, 1, parasail.blosum62)
            if result.length >= 40 and result.matches >= 0.3 * result.length:
                found.append(chain)
                break
    return np.array(found, dtype=np.int64)


def sequences(stability: Path) -> set[str]:
    """Sequences of the chains that the stability data name."""
    from motet.io import read

    wanted = set()
    for table in sorted(stability.glob("*.csv")):
        with table.open() as lines:
            wanted |= {(row["pdb"], row["chain"]) for row in csv.DictReader(lines)}
    found = set()
    for pdb, chain in sorted(wanted):
        path = stability / "pdb" / f"{pdb}.pdb.gz"
        if path.exists():
            found.add(read(path).topology.sequence(chain))
    return found


if __name__ == "__main__":
    main()
