// The 3-D view of an ensemble, driven by the controls above it.

/** The models of a PDB file from the first of them and what the others' atoms moved, in 0.01 Å. */
function multiModel({ text, moves, states }) {
  const lines = text.split("\n");
  const atoms = lines.filter((line) => /^(ATOM|HETATM)/.test(line));
  const start = atoms.map((line) => [30, 38, 46].map((at) => Math.round(100 * Number(line.slice(at, at + 8)))));
  const placed = (line, i, model) => {
    const at = 3 * (model * atoms.length + i);
    const words = start[i].map((value, axis) => ((value + moves[at + axis]) / 100).toFixed(3).padStart(8));
    return line.slice(0, 30) + words.join("") + line.slice(54);
  };
  const models = states.map((_, model) => {
    const body = atoms.map((line, i) => placed(line, i, model));
    return [`MODEL     ${String(model + 1).padStart(4)}`, ...body, "ENDMDL"].join("\n");
  });
  return [...models, "END", ""].join("\n");
}

class EnsembleView {
  constructor(plugin, lib, data) {
    Object.assign(this, { plugin, lib, data });
    this.medoids = [];
    this.members = null;
    this.show = "medoids";
    this.colour = "state";
    this.frame = 0;
    this.seen = new Set();
    this.hiddenStates = new Set();
  }

  /** One trajectory of a text; a structure of each of its first `count` models. */
  async parse(text, format, label, count) {
    const { data, structure } = this.plugin.builders;
    const raw = await data.rawData({ data: text, label }, { state: { isGhost: true } });
    const trajectory = await structure.parseTrajectory(raw, format);
    const structures = [];
    for (let modelIndex = 0; modelIndex < count; modelIndex++) {
      const model = await structure.createModel(trajectory, { modelIndex });
      structures.push(await structure.createStructure(model, { name: "model", params: {} }));
    }
    return structures;
  }

  theme(state) {
    if (this.colour === "state") {
      return { color: "uniform", colorParams: { value: asNumber(this.stateColour(state)) } };
    }
    // Mol* reads this list from the high end of the domain to the low.
    const colors = this.data.ramp.map(asNumber).reverse();
    const values = this.data.residues.map((residue) => residue[3]);
    const lowest = values.reduce((a, b) => Math.min(a, b));
    const highest = values.reduce((a, b) => Math.max(a, b), lowest + 1e-3);
    return { color: "uncertainty", colorParams: { domain: [lowest, highest], list: { kind: "interpolate", colors } } };
  }

  stateColour(state) {
    return this.data.colours[state % this.data.colours.length];
  }

  /** Ribbon of what is a polymer, sticks of what is not. */
  async draw(structure, state, slim) {
    const { builders } = this.plugin;
    const shown = { state, structure, drawn: [], component: null };
    const add = async (component, type, typeParams) => {
      if (!component) return;
      const props = { type, typeParams, ...this.theme(state) };
      shown.drawn.push(await builders.structure.representation.addRepresentation(component, props));
    };
    shown.component = await builders.structure.tryCreateComponentStatic(structure, "polymer");
    await add(shown.component, "cartoon", { sizeFactor: slim ? 0.12 : 0.2, quality: slim ? "low" : "auto" });
    if (slim) return shown;
    for (const kind of ["ligand", "ion", "branched"]) {
      const component = await builders.structure.tryCreateComponentStatic(structure, kind);
      await add(component, "ball-and-stick", { sizeFactor: 0.2 });
    }
    return shown;
  }

  /** Do work on the models without drawing in between, and say what it is. */
  async quietly(words, work) {
    const { plugin } = this;
    say(words);
    plugin.animationLoop.stop({ noDraw: true });
    try {
      await plugin.dataTransaction(work, { rethrowErrors: true });
    } finally {
      plugin.animationLoop.start();
      say("");
    }
  }

  async drawMedoids() {
    await this.quietly("Preparing the 3-D view …", async () => {
      for (const { text, format, name, state } of this.data.medoids) {
        const [structure] = await this.parse(text, format, name, 1);
        this.medoids.push(this.drew(await this.draw(structure, state, false)));
      }
    });
  }

  /** The many models are made only when somebody asks for them. */
  async drawMembers() {
    if (this.members) return;
    this.members = [];
    const { format, states } = this.data.members;
    const text = format === "pdb" ? multiModel(this.data.members) : this.data.members.text;
    await this.quietly(`Drawing ${states.length} models …`, async () => {
      const structures = await this.parse(text, format, "ensemble", states.length);
      for (const [i, structure] of structures.entries()) {
        this.members.push(this.drew(await this.draw(structure, states[i], true)));
      }
    });
  }

  visible() {
    const among = this.show === "medoids" ? this.medoids : this.members;
    if (this.show === "play") return [among[this.frame]];
    return among.filter((one) => !this.hiddenStates.has(one.state));
  }

  /** Show what should be seen and hide what should not; what is right already stays untouched. */
  refresh() {
    const { hierarchy } = this.plugin.managers.structure;
    const wanted = new Set(this.visible());
    const change = (among, action) => {
      const refs = new Set(among.map((one) => one.structure.ref));
      if (!refs.size) return;
      const found = hierarchy.current.structures.filter((one) => refs.has(one.cell.transform.ref));
      hierarchy.toggleVisibility(found, action);
    };
    change([...this.seen].filter((one) => !wanted.has(one)), "hide");
    change([...wanted].filter((one) => !this.seen.has(one)), "show");
    this.seen = wanted;
  }

  /** What has just been drawn is seen, until somebody refreshes. */
  drew(one) {
    this.seen.add(one);
    return one;
  }

  /** Colour everything that is drawn, in one step. */
  async recolour() {
    const update = this.plugin.state.data.build();
    for (const one of [...this.medoids, ...(this.members ?? [])]) {
      const { color, colorParams } = this.theme(one.state);
      const colorTheme = { name: color, params: colorParams };
      for (const drawn of one.drawn) {
        const bonded = drawn.cell.transform.params.type.name === "ball-and-stick";
        const theme = bonded ? { name: "element-symbol", params: { carbonColor: { name: color, params: colorParams } } } : colorTheme;
        update.to(drawn.ref).update((old) => ({ ...old, colorTheme: bonded && color !== "uniform" ? colorTheme : theme }));
      }
    }
    await update.commit();
  }

  async setAtoms(on) {
    const { builders } = this.plugin;
    for (const one of this.medoids) {
      if (on && !one.sticks && one.component) {
        one.sticks = await builders.structure.representation.addRepresentation(one.component, {
          type: "ball-and-stick",
          typeParams: { sizeFactor: 0.16, ignoreHydrogens: true },
          ...this.theme(one.state),
        });
        one.drawn.push(one.sticks);
      } else if (!on && one.sticks) {
        one.drawn = one.drawn.filter((drawn) => drawn !== one.sticks);
        await this.plugin.build().delete(one.sticks.ref).commit();
        one.sticks = null;
      }
    }
    this.refresh();
  }

  async setShow(show) {
    if (show !== "medoids") await this.drawMembers();
    this.show = show;
    this.refresh();
    document.documentElement.dataset.show = show;
  }

  async setColour(colour) {
    this.colour = colour;
    await this.recolour();
  }

  /** Mark residues, counted as in the charts, on what is seen. */
  mark(residues) {
    const { lociHighlights } = this.plugin.managers.interactivity;
    const { StructureElement } = this.lib.structure;
    lociHighlights.clearHighlights();
    const items = residues.map((i) => ({ auth_asym_id: this.data.residues[i][0], auth_seq_id: this.data.residues[i][1] }));
    if (!items.length) return;
    for (const one of this.visible()) {
      const loci = StructureElement.Loci.fromSchema(one.structure.data, { items });
      lociHighlights.highlight({ loci }, false);
    }
  }

  /** Which residue of which state this is. */
  wordsAt(location) {
    const { chain, residue: properties } = this.lib.structure.StructureProperties;
    const [id, number] = [chain.auth_asym_id(location), properties.auth_seq_id(location)];
    const residue = this.data.residues.find((one) => one[0] === id && one[1] === number);
    if (!residue) return undefined;
    const one = this.visible().find((shown) => shown.structure.data.models[0] === location.unit.model);
    const state = one ? `${this.data.states[one.state]}, ` : "";
    return `${residue[2]}\n${state}RMSF ${residue[3].toFixed(2)} Å`;
  }
}

/** Play the models one by one: the next is asked for when the last one is drawn. */
function startPlayer(view) {
  const [button, slider, name] = ["play", "frame", "frame-name"].map((id) => document.getElementById(id));
  let playing = false;
  const at = (frame) => {
    view.frame = frame;
    slider.value = frame;
    const state = view.data.members.states[frame];
    name.textContent = `${view.data.members.names[frame]}, ${view.data.states[state]}`;
    view.refresh();
  };
  const stop = () => {
    playing = false;
    button.textContent = "▶";
    button.setAttribute("aria-label", "Play");
  };
  const next = () => {
    if (!playing) return;
    at((view.frame + 1) % view.data.members.states.length);
    setTimeout(() => requestAnimationFrame(next), 150);
  };
  button.addEventListener("click", () => {
    if (playing) return stop();
    playing = true;
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "Pause");
    next();
  });
  slider.addEventListener("input", () => at(Number(slider.value)));
  return { at, stop };
}

function startControls(view) {
  const player = startPlayer(view);
  onChoice("show", async (show) => {
    player.stop();
    await view.setShow(show);
    document.getElementById("player").hidden = show !== "play";
    document.getElementById("state-filter").disabled = show === "play";
    document.getElementById("atoms").disabled = show !== "medoids";
    if (show === "play") player.at(view.frame);
  });
  onChoice("colour", async (colour) => {
    await view.setColour(colour);
    document.getElementById("ramp").hidden = colour !== "rmsf";
  });
  for (const box of document.querySelectorAll("#state-filter input")) {
    box.addEventListener("change", () => {
      view.hiddenStates[box.checked ? "delete" : "add"](Number(box.value));
      view.refresh();
    });
  }
  const atoms = document.getElementById("atoms");
  atoms.addEventListener("change", () => view.setAtoms(atoms.checked));
}

async function startViewer(data) {
  const make = async (plugin, lib) => {
    const view = new EnsembleView(plugin, lib, data);
    await view.drawMedoids();
    await view.recolour();
    return view;
  };
  return staged(make, startControls);
}
