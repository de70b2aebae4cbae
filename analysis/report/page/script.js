"use strict";
// Without this script the page is complete but for the explorer: tables in their order, figures.

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

// Says below a table or figure that it is wider than the window, as long as it is.
function scrollHint(box) {
  const hint = document.createElement("p");
  hint.className = "note scrolls";
  hint.textContent = "Scroll sideways for more \u2192";
  box.after(hint);
  const show = () => { hint.hidden = box.scrollWidth <= box.clientWidth + 1; };
  new ResizeObserver(show).observe(box);
  new ResizeObserver(show).observe(box.firstElementChild);
  show();
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

document.addEventListener("DOMContentLoaded", () => {
  themeToggle();
  document.querySelectorAll(".scroll, .drawing").forEach(scrollHint);
  document.querySelectorAll("table.data:not(.trials)").forEach(sortable);
  document.querySelectorAll(".command").forEach(copyable);
  document.querySelectorAll("figure").forEach(savable);
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.append(tip);
  startExplorer(document.getElementById("explorer"));
});
