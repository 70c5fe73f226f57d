// The 3-D view: Mol* without its own panels, driven by the controls above it.

/** Run the bundled Mol*; the page's policy knows this text by its hash. */
async function loadMolstar() {
  const script = document.createElement("script");
  script.textContent = await unpacked("molstar");
  document.head.append(script);
  return window.molstar.lib;
}

const asNumber = (colour) => parseInt(colour.slice(1), 16);

/** Mol* in the page's canvas, in the page's colours. */
async function createPlugin(lib, place) {
  const { PluginContext, PluginConfig, DefaultPluginSpec } = lib.plugin;
  const spec = DefaultPluginSpec();
  spec.config = [
    [PluginConfig.General.AllowMajorPerformanceCaveat, true],
    [PluginConfig.VolumeStreaming.Enabled, false],
  ];
  const plugin = new PluginContext(spec);
  await plugin.init();
  if (!(await plugin.mountAsync(place))) throw new Error("Mol* found no WebGL");
  await plugin.canvas3dInitialized;
  return plugin;
}

/** Background as the card has it, and no axes in the corner. */
function paint(plugin, place) {
  const channels = getComputedStyle(place).backgroundColor.match(/\d+/g).map(Number);
  const backgroundColor = (channels[0] << 16) | (channels[1] << 8) | channels[2];
  plugin.canvas3d.setProps({
    renderer: { backgroundColor },
    camera: { helper: { axes: { name: "off", params: {} } } },
  });
}

class EnsembleView {
  constructor(plugin, lib, data) {
    Object.assign(this, { plugin, lib, data });
    this.medoids = [];
    this.members = null;
    this.show = "medoids";
    this.colour = "state";
    this.sidechains = false;
    this.frame = 0;
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
    const highest = Math.max(...this.data.residues.map((residue) => residue[3]), 1e-3);
    return { color: "uncertainty", colorParams: { domain: [0, highest], list: { kind: "interpolate", colors } } };
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
    await add(shown.component, "cartoon", { sizeFactor: slim ? 0.12 : 0.2, quality: slim ? "medium" : "auto" });
    if (slim) return shown;
    for (const kind of ["ligand", "ion", "branched"]) {
      const component = await builders.structure.tryCreateComponentStatic(structure, kind);
      await add(component, "ball-and-stick", { sizeFactor: 0.2 });
    }
    return shown;
  }

  async drawMedoids() {
    for (const { text, format, name, state } of this.data.medoids) {
      const [structure] = await this.parse(text, format, name, 1);
      this.medoids.push(await this.draw(structure, state, false));
    }
  }

  /** The many models are made only when somebody asks for them. */
  async drawMembers() {
    if (this.members) return;
    this.members = [];
    const { text, format, states } = this.data.members;
    const structures = await this.parse(text, format, "ensemble", states.length);
    for (const [i, structure] of structures.entries()) {
      this.members.push(await this.draw(structure, states[i], true));
    }
  }

  visible() {
    const among = this.show === "medoids" ? this.medoids : this.members;
    if (this.show === "play") return [among[this.frame]];
    return among.filter((one) => !this.hiddenStates.has(one.state));
  }

  /** Hide and show whole structures. */
  refresh() {
    const { hierarchy } = this.plugin.managers.structure;
    const shown = new Set(this.visible().map((one) => one.structure.ref));
    const among = (keep) => hierarchy.current.structures.filter((one) => shown.has(one.cell.transform.ref) === keep);
    hierarchy.toggleVisibility(among(true), "show");
    hierarchy.toggleVisibility(among(false), "hide");
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

  async setSidechains(on) {
    this.sidechains = on;
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
    this.show = show;
    if (show !== "medoids") await this.drawMembers();
    this.refresh();
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

  /** Say which residue is under the pointer. */
  startTips(place) {
    const { StructureElement, StructureProperties } = this.lib.structure;
    const known = new Map(this.data.residues.map((residue) => [`${residue[0]}/${residue[1]}`, residue]));
    this.plugin.behaviors.interaction.hover.subscribe(({ current, page }) => {
      if (!page || !StructureElement.Loci.is(current.loci) || !place.matches(":hover")) return tip.hide();
      const location = StructureElement.Loci.getFirstLocation(current.loci);
      if (!location) return tip.hide();
      const chain = StructureProperties.chain.auth_asym_id(location);
      const residue = known.get(`${chain}/${StructureProperties.residue.auth_seq_id(location)}`);
      if (!residue) return tip.hide();
      const one = this.visible().find((shown) => shown.structure.data.models[0] === location.unit.model);
      const state = one ? `state ${one.state}, ` : "";
      tip.show(`${residue[2]}\n${state}RMSF ${residue[3].toFixed(2)} Å`, page[0] - scrollX, page[1] - scrollY);
    });
    place.addEventListener("pointerleave", () => tip.hide());
  }
}

/** Let the wheel scroll the page until the view is clicked into. */
function tameWheel(place) {
  place.addEventListener("pointerdown", () => place.classList.add("lively"));
  place.addEventListener("pointerleave", () => place.classList.remove("lively"));
  place.addEventListener(
    "wheel",
    (event) => {
      if (!place.classList.contains("lively")) event.stopPropagation();
    },
    { capture: true, passive: true },
  );
}

/** Play the models one by one, twelve a second at most. */
function startPlayer(view) {
  const [button, slider, name] = ["play", "frame", "frame-name"].map((id) => document.getElementById(id));
  let timer = 0;
  const at = (frame) => {
    view.frame = frame;
    slider.value = frame;
    const state = view.data.members.states[frame];
    name.textContent = `conformation ${view.data.members.conformations[frame]}, state ${state}`;
    view.refresh();
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.textContent = "▶";
    button.setAttribute("aria-label", "Play");
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    timer = setInterval(() => at((view.frame + 1) % view.data.members.states.length), 160);
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "Pause");
  });
  slider.addEventListener("input", () => at(Number(slider.value)));
  return { at, stop };
}

function startControls(view, plugin) {
  const player = startPlayer(view);
  const controls = document.getElementById("controls");
  for (const radio of controls.querySelectorAll("input[name=show]")) {
    radio.addEventListener("change", async () => {
      player.stop();
      await view.setShow(radio.value);
      document.getElementById("player").hidden = radio.value !== "play";
      document.getElementById("state-filter").disabled = radio.value === "play";
      if (radio.value === "play") player.at(view.frame);
    });
  }
  for (const radio of controls.querySelectorAll("input[name=colour]")) {
    radio.addEventListener("change", async () => {
      await view.setColour(radio.value);
      document.getElementById("ramp").hidden = radio.value !== "rmsf";
    });
  }
  for (const box of controls.querySelectorAll("#state-filter input")) {
    box.addEventListener("change", () => {
      view.hiddenStates[box.checked ? "delete" : "add"](Number(box.value));
      view.refresh();
    });
  }
  const sidechains = document.getElementById("sidechains");
  sidechains.addEventListener("change", () => view.setSidechains(sidechains.checked));
  document.getElementById("reset").addEventListener("click", () => plugin.managers.camera.reset());
  document.getElementById("picture").addEventListener("click", () => plugin.helpers.viewportScreenshot.download());
  controls.hidden = false;
}

async function startViewer(data) {
  const lib = await loadMolstar();
  const place = document.getElementById("viewer");
  const plugin = await createPlugin(lib, place);
  paint(plugin, place);
  document.addEventListener("theme", () => paint(plugin, place));
  const view = new EnsembleView(plugin, lib, data);
  await view.drawMedoids();
  await view.recolour();
  view.startTips(place);
  tameWheel(place);
  startControls(view, plugin);
  plugin.managers.camera.reset();
  return { mark: (residues) => view.mark(residues), plugin, view };
}
