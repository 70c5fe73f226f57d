// The 3-D view of a validated model: coloured by Q or by what is wrong, with its map as a surface.

class ValidatedView {
  constructor(plugin, lib, data) {
    Object.assign(this, { plugin, lib, data });
    this.structure = null;
    this.drawn = [];
    this.surface = null;
    this.colour = data.colours[0].name;
  }

  async drawModel() {
    const { data, structure } = this.plugin.builders;
    const raw = await data.rawData({ data: this.data.model.text, label: this.data.model.name }, { state: { isGhost: true } });
    const trajectory = await structure.parseTrajectory(raw, this.data.model.format);
    const model = await structure.createModel(trajectory, { modelIndex: 0 });
    this.structure = await structure.createStructure(model, { name: "model", params: {} });
    const polymer = await structure.tryCreateComponentStatic(this.structure, "polymer");
    if (!polymer) return;
    const { representation } = structure;
    this.drawn.push(await representation.addRepresentation(polymer, { type: "cartoon", ...this.theme() }));
    const sticks = { type: "ball-and-stick", typeParams: { sizeFactor: 0.16, ignoreHydrogens: true } };
    this.drawn.push(await representation.addRepresentation(polymer, { ...sticks, ...this.theme() }));
  }

  /** Values of a residue wear the colours of a ramp; Mol* looks each atom's up by a function of our own. */
  theme() {
    return { color: "validated", colorParams: {} };
  }

  /** A colour theme of Mol* that asks the page. */
  registerTheme() {
    const { StructureElement, StructureProperties } = this.lib.structure;
    const known = new Map(this.data.residues.map((one, i) => [`${one[0]}/${one[1]}${one[2]}`, i]));
    const value = (location) => {
      const { residue, chain } = StructureProperties;
      const code = residue.pdbx_PDB_ins_code(location) || "";
      return known.get(`${chain.auth_asym_id(location)}/${residue.auth_seq_id(location)}${code}`);
    };
    this.residueAt = value;
    const colour = (location) => {
      if (!StructureElement.Location.is(location)) return 0x999999;
      const place = value(location);
      return place === undefined ? 0x999999 : this.colourOf(place);
    };
    const factory = (_, props) => ({ factory, granularity: "group", color: colour, props, description: "" });
    this.plugin.representation.structure.themes.colorThemeRegistry.add({
      name: "validated",
      label: "Validated",
      category: "Validation",
      factory,
      getParams: () => ({}),
      defaultValues: {},
      isApplicable: () => true,
    });
  }

  colourOf(place) {
    const chosen = this.data.colours.find((one) => one.name === this.colour);
    const value = chosen.values[place];
    if (value === null) return 0x999999;
    const share = Math.min(Math.max((value - chosen.low) / (chosen.high - chosen.low || 1), 0), 1) * (chosen.ramp.length - 1);
    const below = Math.min(Math.floor(share), chosen.ramp.length - 2);
    const [a, b] = [asNumber(chosen.ramp[below]), asNumber(chosen.ramp[below + 1])];
    const mix = (shift) => Math.round(((a >> shift) & 255) + (share - below) * (((b >> shift) & 255) - ((a >> shift) & 255)));
    return (mix(16) << 16) | (mix(8) << 8) | mix(0);
  }

  async setColour(colour) {
    this.colour = colour;
    for (const one of this.drawn) {
      // The same theme with other answers: a fresh parameter makes Mol* ask again.
      await this.plugin.build().to(one.ref).update((old) => ({ ...old, colorTheme: { name: "uniform", params: { value: 0x999999 } } })).commit();
      await this.plugin.build().to(one.ref).update((old) => ({ ...old, colorTheme: { name: "validated", params: {} } })).commit();
    }
  }

  async drawMap() {
    const { map } = this.data;
    if (!map) return;
    const bytes = Uint8Array.from(atob(map.file), (letter) => letter.charCodeAt(0));
    const raw = await this.plugin.builders.data.rawData({ data: bytes, label: "map" }, { state: { isGhost: true } });
    const provider = this.plugin.dataFormats.get("ccp4");
    const parsed = await provider.parse(this.plugin, raw);
    [this.surface] = await provider.visuals(this.plugin, parsed);
    await this.setLevel(map.level);
  }

  /** Draw the surface at a density, in the map's own units. */
  async setLevel(level) {
    const isoValue = { kind: "absolute", absoluteValue: level };
    const look = { isoValue, alpha: 0.28, visuals: ["wireframe"], sizeFactor: 1, xrayShaded: false };
    await this.plugin.build().to(this.surface.ref).update((old) => ({
      ...old,
      type: { name: "isosurface", params: { ...old.type.params, ...look } },
      colorTheme: { name: "uniform", params: { value: 0x7f8c99 } },
    })).commit();
  }

  setMapSeen(seen) {
    this.plugin.state.data.updateCellState(this.surface.ref, { isHidden: !seen });
  }

  mark(residues) {
    const { lociHighlights } = this.plugin.managers.interactivity;
    lociHighlights.clearHighlights();
    if (!residues.length || !this.structure) return;
    const items = residues.map((i) => this.data.residues[i]).map(([chain, number]) => ({ auth_asym_id: chain, auth_seq_id: number }));
    const loci = this.lib.structure.StructureElement.Loci.fromSchema(this.structure.data, { items });
    lociHighlights.highlight({ loci }, false);
  }

  /** What was found of the residue there. */
  wordsAt(location) {
    return this.data.words[this.residueAt(location)];
  }
}

function startControls(view) {
  onChoice("colour", async (colour) => {
    await view.setColour(colour);
    for (const ramp of document.querySelectorAll(".ramp")) ramp.hidden = ramp.dataset.of !== colour;
    document.documentElement.dataset.colour = colour;
  });
  const seen = document.getElementById("map-seen");
  seen?.addEventListener("change", () => view.setMapSeen(seen.checked));
  const level = document.getElementById("level");
  level?.addEventListener("change", () => view.setLevel(Number(level.value)));
}

async function startViewer(data) {
  const make = async (plugin, lib) => {
    const view = new ValidatedView(plugin, lib, data);
    view.registerTheme();
    await view.drawModel();
    await view.drawMap();
    return view;
  };
  const shown = await staged(make, startControls);
  await drawn(1);
  const { sphere } = shown.view.structure.data.boundary;
  shown.plugin.managers.camera.focusSphere(sphere, { extraRadius: 0, durationMs: 0 });
  return shown;
}
