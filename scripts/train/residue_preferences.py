"""Train the residue preferences: what stands at a place, and what stands there in its family.

Data: 18,438 chains of 40 to 400 residues with alignment profiles, ProMod3's structure data base (Debian's package
promod3-data, Apache-2.0; coordinates wwPDB, CC0), as ../shared/data/dynamics/promod3_chains/extract_promod3.py
reads it (--min 40 --max 400). Chains that resemble a protein of the stability data (identity of a local alignment
of 30 % over 40 residues or more) are left out, so that a cross-validation over those proteins never meets its own
test proteins here.

    python scripts/train/residue_preferences.py chains.npz ../shared/data/ddg preferences.safetensors

Writes a checkpoint every minute and goes on from it when it is there. The weights that ship took 35 minutes of one
core; their first 5,400 batches of 7,242 had the rates of a plan of five epochs, the others those of four.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from motet.ensemble.ddg.preferences import LETTERS, UNKNOWN, Places, ResiduePreferences

RESIDUES = 2000  # in a batch, the padding among them
NOISE = 0.15  # Å, of every atom: a backbone is not known better
HIDDEN = 0.1  # of the neighbours' types
SUSPECT = 60  # score of BLOSUM62 above which an alignment is looked at closely
EPOCHS = 4
OFTEN = 100  # batches between checkpoints


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chains", type=Path)
    parser.add_argument("stability", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    chains = Chains(options.chains)
    allowed = np.setdiff1d(np.arange(len(chains.length)), similar(chains, options.stability, options.out))
    held_out = allowed[::100]
    allowed = np.setdiff1d(allowed, held_out)
    print(f"{len(allowed)} chains to learn from, {len(held_out)} to watch", flush=True)
    random = np.random.default_rng(options.seed)
    plan = [batch for _ in range(EPOCHS) for batch in chains.plan(allowed, random)]
    network = ResiduePreferences()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=len(plan), pct_start=0.1)
    state, first = options.out.with_suffix(".state"), 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        first = saved["batches"]
    began, losses = time.process_time(), []
    for number, batch in enumerate(plan[first:], start=first + 1):
        places, native, family = chains.batch(batch, np.random.default_rng([options.seed, number]))
        with torch.autocast("cpu", torch.bfloat16):  # half the time
            costs = network(places)
        loss = sum(cross_entropy(costs.float(), native, family, places.present)) / 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if number % OFTEN == 0 or number == len(plan):
            spent = time.process_time() - began
            print(f"{number} of {len(plan)}: {np.mean(losses):.4f}; {spent:.0f} s", flush=True)
            losses.clear()
            saved = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save(saved | {"schedule": schedule.state_dict(), "batches": number}, state)
            save_file({name: value.half() for name, value in network.state_dict().items()}, options.out)
    with torch.no_grad():
        watched = []
        for batch in chains.plan(held_out, np.random.default_rng(options.seed)):
            places, native, family = chains.batch(batch)
            watched.append([float(one) for one in cross_entropy(network(places), native, family, places.present)])
    found, profile = np.mean(watched, axis=0)
    print(f"held-out chains: {found:.4f} nats a residue found, {profile:.4f} of its family's profile")


def cross_entropy(costs, native, family, present):
    """Of either answer, in nats a residue."""
    known = present & (native < UNKNOWN)
    one = costs[..., 0, :].gather(-1, native.clamp_max(UNKNOWN - 1)[..., None]).squeeze(-1)
    many = (costs[..., 1, :] * family).sum(-1)
    return one[known].mean(), many[known].mean()


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

    def plan(self, chains: np.ndarray, random) -> list[np.ndarray]:
        """Batches of chains of much the same length, every chain once, in random order."""
        order = random.permutation(chains)
        order = order[np.argsort(self.length[order] + random.uniform(0, 20, len(order)), kind="stable")]
        batches, first = [], 0
        for last in range(1, len(order) + 1):
            longest = self.length[order[first : last + 1]].max()
            if last == len(order) or longest * (last + 1 - first) > RESIDUES:
                batches.append(order[first:last])
                first = last
        return [batches[k] for k in random.permutation(len(batches))]

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


def similar(chains: Chains, stability: Path, out: Path) -> np.ndarray:
    """Chains that resemble a protein of the stability data, by Smith-Waterman (parasail); kept beside `out`."""
    import parasail

    kept = out.with_suffix(".similar.npy")
    if kept.exists():
        return np.load(kept)
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
    np.save(kept, np.array(found, dtype=np.int64))
    return np.load(kept)


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
