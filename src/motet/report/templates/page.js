"use strict";
// What the page does beside the 3-D view: unpack its data, light and dark, words under the pointer, downloads.

/** Undo gzip and base64 of a script element that holds data. */
async function unpacked(id) {
  const packed = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** Offer text as a file. */
function offer(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Tell whoever draws with colours of their own that they have changed. */
function announceTheme() {
  document.dispatchEvent(new Event("theme"));
}

function startTheme() {
  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    announceTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announceTheme);
}

const tip = {
  node: document.getElementById("tip"),
  show(text, x, y) {
    this.node.textContent = text;
    this.node.hidden = false;
    const box = this.node.getBoundingClientRect();
    const left = Math.min(Math.max(x + 14, 8), innerWidth - box.width - 8);
    const top = y + 18 + box.height > innerHeight ? y - box.height - 12 : y + 18;
    this.node.style.left = `${left}px`;
    this.node.style.top = `${Math.max(top, 8)}px`;
  },
  hide() {
    this.node.hidden = true;
  },
};

/** Index of the point that the pointer means, or -1. */
function nearest(hover, x, y) {
  let best = -1;
  let least = hover.nearest === "x" ? Infinity : hover.reach ** 2;
  hover.x.forEach((at, i) => {
    const away = hover.nearest === "x" ? Math.abs(at - x) : (at - x) ** 2 + (hover.y[i] - y) ** 2;
    if (away < least) [best, least] = [i, away];
  });
  return best;
}

/** A ring around the point that is spoken of. */
function ring(svg) {
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  circle.setAttribute("class", "cursor");
  circle.setAttribute("r", "5");
  svg.append(circle);
  return circle;
}

function startHover(place, hover, mark) {
  const svg = place.querySelector("svg");
  let circle = null;
  const leave = () => {
    tip.hide();
    circle?.remove();
    circle = null;
    mark([]);
  };
  svg.addEventListener("pointermove", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const found = nearest(hover, at.x, at.y);
    if (found < 0) return leave();
    circle ??= ring(svg);
    circle.setAttribute("cx", hover.x[found]);
    circle.setAttribute("cy", hover.y[found]);
    tip.show(hover.text[found], event.clientX, event.clientY);
    mark(hover.residues[found] ?? []);
  });
  svg.addEventListener("pointerleave", leave);
}

function startDownloads(data) {
  for (const button of document.querySelectorAll("button.download")) {
    button.disabled = false;
    button.addEventListener("click", () => {
      if (button.dataset.file) {
        const file = data.files[button.dataset.file];
        offer(button.dataset.file, file.type, file.text);
      } else {
        const model = data.medoids[Number(button.dataset.model)];
        offer(model.name, model.format === "pdb" ? "chemical/x-pdb" : "chemical/x-mmcif", model.text);
      }
    });
  }
}

async function startPage() {
  startTheme();
  const data = JSON.parse(await unpacked("payload"));
  startDownloads(data);
  const view = { mark: () => {} };
  for (const place of document.querySelectorAll("[data-chart]")) {
    startHover(place, data.hover[place.dataset.chart], (residues) => view.mark(residues));
  }
  try {
    say("Preparing the 3-D view …");
    Object.assign(view, await startViewer(data));
    say("");
    document.documentElement.dataset.viewer = "ready";
  } catch (error) {
    console.error(error);
    say(
      "This browser cannot draw the 3-D view (it needs WebGL). Everything else on this page works; " +
        "the models lie beside this report as files.",
    );
    document.documentElement.dataset.viewer = "failed";
  }
}

document.addEventListener("DOMContentLoaded", startPage);
