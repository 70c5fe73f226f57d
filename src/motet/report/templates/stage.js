// The stage of a 3-D view: Mol* without its own panels, in the page's colours.

/** Run the bundled Mol*; the page's policy knows this text by its hash. */
async function loadMolstar() {
  const script = document.createElement("script");
  script.textContent = await unpacked("molstar");
  document.head.append(script);
  return window.molstar.lib;
}

/** A line over the view; an empty one takes it away. */
function say(words) {
  const message = document.getElementById("viewer-message");
  message.textContent = words;
  message.hidden = !words;
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

/** Whether the processor draws, not a graphics card: then shading that is only beautiful is left out. */
function drawnBySoftware() {
  const gl = document.createElement("canvas").getContext("webgl");
  const names = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = gl?.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER) ?? "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

/** Shading: contours and soft shadows, or nothing of the kind. */
function shade(plugin, plain) {
  const off = { name: "off", params: {} };
  if (plain) {
    plugin.canvas3d.setProps({ postprocessing: { occlusion: off, outline: off }, multiSample: { mode: "off" } });
    return;
  }
  const params = { scale: 1, threshold: 0.33, color: 0x000000, includeTransparent: true };
  plugin.canvas3d.setProps({ postprocessing: { outline: { name: "on", params } } });
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

/** Wait for so many frames: Mol* knows the size of what it shows only once it has drawn it. */
async function drawn(frames) {
  for (let i = 0; i < frames; i++) await new Promise(requestAnimationFrame);
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

/** Say what the view knows of the place under the pointer. */
function startTips(view, place) {
  const { StructureElement } = view.lib.structure;
  view.plugin.behaviors.interaction.hover.subscribe(({ current, page }) => {
    if (!page || !StructureElement.Loci.is(current.loci) || !place.matches(":hover")) return tip.hide();
    const location = StructureElement.Loci.getFirstLocation(current.loci);
    const words = location && view.wordsAt(location);
    if (!words) return tip.hide();
    tip.show(words, page[0] - scrollX, page[1] - scrollY);
  });
  place.addEventListener("pointerleave", () => tip.hide());
}

/** Do something with the value of the radio button that is chosen. */
function onChoice(name, act) {
  for (const radio of document.querySelectorAll(`#controls input[name=${name}]`)) {
    radio.addEventListener("change", () => act(radio.value));
  }
}

function startButtons({ managers, helpers }) {
  document.getElementById("reset").addEventListener("click", () => managers.camera.orientAxes());
  document.getElementById("picture").addEventListener("click", () => helpers.viewportScreenshot.download());
  document.getElementById("controls").hidden = false;
}

/** Set the stage, let `make(plugin, lib)` draw a view on it, and look at it from where it is broadest. */
async function staged(make, startControls) {
  const lib = await loadMolstar();
  const place = document.getElementById("viewer");
  const plugin = await createPlugin(lib, place);
  shade(plugin, drawnBySoftware());
  paint(plugin, place);
  document.addEventListener("theme", () => paint(plugin, place));
  const view = await make(plugin, lib);
  startTips(view, place);
  tameWheel(place);
  startControls(view);
  startButtons(plugin);
  await drawn(2);
  plugin.managers.camera.reset(undefined, 0);
  await drawn(1);
  plugin.managers.camera.orientAxes(undefined, 0);
  return { mark: (residues) => view.mark(residues), plugin, view };
}
