"use strict";
// Without this script the page is complete: tables in their order, curves with native tool tips.

const root = document.documentElement;
const stored = {
  // A page from a file may have no storage: the choice then lasts as long as the page.
  get() { try { return localStorage.getItem("copytask-theme"); } catch { return null; } },
  set(theme) { try { localStorage.setItem("copytask-theme", theme); } catch { /* as above */ } },
};
if (["light", "dark"].includes(stored.get())) root.dataset.theme = stored.get();

function themeToggle() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  const show = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    stored.set(root.dataset.theme);
    show();
  });
  system.addEventListener("change", show);
  show();
}

function sortable(table) {
  const headers = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    header.setAttribute("aria-sort", "none");
    const text = (row) => row.cells[column].textContent.trim();
    const number = (row) => parseFloat(text(row).replaceAll(",", ""));
    button.addEventListener("click", () => {
      const descending = header.getAttribute("aria-sort") === "ascending";
      headers.forEach((other) => other.setAttribute("aria-sort", "none"));
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const words = header.classList.contains("word");
      const rows = [...body.rows].sort((a, b) => {
        // What is missing is last, whichever way the others are sorted.
        const missing = (text(a) === "-") - (text(b) === "-");
        const difference = words ? NaN : number(a) - number(b);
        const order = Number.isNaN(difference)
          ? text(a).localeCompare(text(b), "en", { numeric: true }) : difference;
        return missing || (descending ? -order : order);
      });
      body.append(...rows);
    });
  });
}

function copyable(box) {
  if (!navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(box.querySelector("code").textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(box.querySelector("code"));
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  box.append(button);
}

function savable(figure) {
  const svg = figure.querySelector("svg.plot");
  if (!svg) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Save SVG";
  button.addEventListener("click", () => {
    const copy = svg.cloneNode(true);
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    // The variables are named after the colours of white paper.
    const text = copy.outerHTML.replace(/var\(--c-([0-9a-f]{6})\)/g, "#$1");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    link.download = `${figure.dataset.name}.svg`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
  figure.querySelector("figcaption").prepend(button);
}

// Tool tips of learning curves. A path's coordinates are its data: thousand tokens, accuracy/1e-4.
function explorable(svg, tip) {
  const mark = svg.querySelector(".mark");
  const curves = [...svg.querySelectorAll("g:not(.axes) > path")].map((path) => {
    const title = path.querySelector("title");
    const text = title.textContent;
    title.remove();
    const numbers = path.getAttribute("d").replace("h0", "").match(/\d+/g).map(Number);
    const points = [];
    for (let k = 0; k < numbers.length; k += 2) points.push([numbers[k], numbers[k + 1]]);
    return { path, text, points };
  });
  const matrix = () => curves[0].path.getScreenCTM();
  let current = null;

  function show(curve, index) {
    hide();
    current = { curve, index };
    const [tokens, accuracy] = curve.points[index];
    curve.path.classList.add("pointed");
    const at = new DOMPoint(tokens, accuracy).matrixTransform(matrix());
    const inside = at.matrixTransform(svg.getScreenCTM().inverse());
    mark.setAttribute("cx", inside.x);
    mark.setAttribute("cy", inside.y);
    mark.setAttribute("visibility", "visible");
    const value = document.createElement("b");
    value.textContent = `${(accuracy / 1e4).toFixed(4)} at ${(tokens / 1e3).toFixed(2)} M tokens`;
    tip.replaceChildren(value, curve.text);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const x = Math.min(at.x + 14, innerWidth - box.width - 8);
    const y = at.y + 14 + box.height > innerHeight ? at.y - box.height - 14 : at.y + 14;
    tip.style.left = `${Math.max(8, x)}px`;
    tip.style.top = `${y}px`;
  }
  function hide() {
    current?.curve.path.classList.remove("pointed");
    current = null;
    tip.hidden = true;
    mark.setAttribute("visibility", "hidden");
  }
  svg.addEventListener("pointermove", (event) => {
    const toScreen = matrix();
    let nearest = null;
    for (const curve of curves) {
      curve.points.forEach(([x, y], index) => {
        const dx = toScreen.a * x + toScreen.e - event.clientX;
        const dy = toScreen.d * y + toScreen.f - event.clientY;
        const distance = dx * dx + dy * dy;
        // On a tie the later one, which lies on top.
        if (!nearest || distance <= nearest.distance) nearest = { curve, index, distance };
      });
    }
    if (nearest.distance < 60 * 60) show(nearest.curve, nearest.index);
    else hide();
  });
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
    if (event.key === "Escape") return hide();
    if (!(event.key in steps)) return;
    event.preventDefault();
    const last = curves.length - 1;
    const [trial, evaluation] = steps[event.key];
    // The best trial, at its end, is where one begins.
    const from = current ? curves.indexOf(current.curve) : last;
    const to = current ? (from + trial + curves.length) % curves.length : last;
    const end = curves[to].points.length - 1;
    const at = current ? current.index + evaluation : end;
    show(curves[to], Math.min(end, Math.max(0, at)));
  });
}

document.addEventListener("DOMContentLoaded", () => {
  themeToggle();
  // Where it does not fit, the largest T is what to see first.
  document.querySelectorAll(".verdict .scroll").forEach((box) => { box.scrollLeft = box.scrollWidth; });
  document.querySelectorAll("table.data").forEach(sortable);
  document.querySelectorAll(".command").forEach(copyable);
  document.querySelectorAll("figure").forEach(savable);
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.append(tip);
  document.querySelectorAll("svg.curves").forEach((svg) => explorable(svg, tip));
});
