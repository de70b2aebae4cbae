"use strict";
// The explorer: what is filtered and selected, its link, and the three views that show it.
// The numbers are those of explorer.py. A row is the place of a trial in every column.

async function explorerData() {
  const packed = document.getElementById("explorer-data").textContent.trim();
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(stream).json()).map(prepared);
}

function prepared(task) {
  const columns = new Map(task.columns.map((column) => [column.key, column]));
  for (const column of task.columns) {
    if (column.words || column.key === "trial") continue;
    column.low = Infinity;
    column.high = -Infinity;
    for (const value of column.values) {
      if (value === null) continue;
      column.low = Math.min(column.low, value);
      column.high = Math.max(column.high, value);
    }
  }
  const starts = [0];
  task.counts.forEach((count, row) => starts.push(starts[row] + count));
  return { ...task, columns, starts, axes: task.columns.filter((column) => column.axis) };
}

// The evaluations of a trial: [million tokens, accuracy].
function curveOf(task, row) {
  const points = [];
  let thousands = 0;
  for (let k = task.starts[row]; k < task.starts[row + 1]; k++) {
    thousands += task.tokens[k];
    points.push([thousands / 1e3, task.accuracies[k] / 1e3]);
  }
  return points;
}

function textOf(column, row) {
  const value = column.values[row];
  if (value === null) return "-";
  if (column.words) return column.words[value];
  return typeof value === "number" ? shortNumber(value) : value;
}

function shortNumber(value) {
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(4)));
}

function filtered(task, brushes) {
  const tests = [...brushes].map(([key, [low, high]]) => {
    const slack = (value) => Math.abs(value) * 5e-4; // a link has four digits
    return [task.columns.get(key).values, low - slack(low), high + slack(high)];
  });
  const rows = [];
  for (let row = 0; row < task.counts.length; row++) {
    if (tests.every(([values, low, high]) => values[row] !== null && values[row] >= low && values[row] <= high)) {
      rows.push(row);
    }
  }
  return rows;
}

function sorted(task, rows, { key, descending }) {
  if (!key) return rows;
  const column = task.columns.get(key);
  const compare = key === "trial"
    ? (a, b) => a.localeCompare(b, "en", { numeric: true }) : (a, b) => a - b;
  return [...rows].sort((one, other) => {
    const [a, b] = [column.values[one], column.values[other]];
    // What is missing is last, whichever way the others are sorted.
    if (a === null || b === null) return (a === null) - (b === null);
    return descending ? compare(b, a) : compare(a, b);
  });
}

// The state as the end of an address, and back; what an address has wrong is left out.
function linkOf({ task, brushes, selected, sort }) {
  const parameters = new URLSearchParams({ task: task.name });
  for (const [key, [low, high]] of brushes) {
    parameters.append("filter", `${key}:${Number(low.toPrecision(4))}..${Number(high.toPrecision(4))}`);
  }
  if (selected !== null) {
    parameters.set("trial", `${textOf(task.columns.get("model"), selected)}/${task.columns.get("trial").values[selected]}`);
  }
  if (sort.key) parameters.set("sort", `${sort.descending ? "-" : ""}${sort.key}`);
  return `#explorer?${parameters}`;
}

function stateOf(link, tasks) {
  const parameters = new URLSearchParams(link.replace(/^#explorer\?/, ""));
  const task = tasks.find(({ name }) => name === parameters.get("task")) ?? tasks[0];
  const brushes = new Map();
  for (const filter of parameters.getAll("filter")) {
    const [, key, low, high] = filter.match(/^(.+):(.+)\.\.(.+)$/) ?? [];
    if (task.columns.get(key)?.axis && Number(low) <= Number(high)) brushes.set(key, [Number(low), Number(high)]);
  }
  const wanted = parameters.get("trial") ?? "";
  const [model, trials] = [task.columns.get("model"), task.columns.get("trial").values];
  const selected = trials.findIndex((name, row) => `${textOf(model, row)}/${name}` === wanted);
  const sort = parameters.get("sort") ?? "";
  const key = sort.replace(/^-/, "");
  return {
    task, brushes, selected: selected < 0 ? null : selected,
    sort: { key: task.columns.has(key) ? key : "", descending: sort.startsWith("-") },
  };
}

// A colour of the style sheet, as the theme has it now.
function themeColor(name) {
  const probe = document.getElementById("explorer");
  probe.style.outlineColor = name;
  const color = getComputedStyle(probe).outlineColor;
  probe.style.outlineColor = "";
  return color;
}

// A canvas as sharp as the screen, in units of CSS pixels.
function clearCanvas(canvas, width, height) {
  const scale = devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  return context;
}

// Every n-th of the rows, so that there are at most so many.
function thinned(rows, most) {
  const step = Math.ceil(rows.length / most);
  return step > 1 ? rows.filter((_, k) => k % step === 0) : rows;
}

function detailView(section, state) {
  const box = section.querySelector(".detail");
  return () => {
    const { task, selected } = state;
    box.classList.toggle("empty", selected === null);
    if (selected === null) {
      box.textContent = "Select a trial: click a line, a curve or a row of the table.";
      return;
    }
    const trial = task.columns.get("trial").values[selected];
    const title = document.createElement("h3");
    title.textContent = trial;
    const facts = document.createElement("dl");
    facts.className = "facts";
    for (const column of task.columns.values()) {
      if (column.key === "trial" || column.values[selected] === null) continue;
      const [fact, term, value] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
      term.textContent = column.name;
      value.textContent = textOf(column, selected);
      fact.append(term, value);
      facts.append(fact);
    }
    const [before, after] = task.models[task.columns.get("model").values[selected]].command;
    const safe = /^[\w@%+=:,./-]+$/.test(trial);
    const command = document.createElement("div");
    command.className = "command";
    command.innerHTML = '<pre tabindex="0"><code></code></pre>';
    command.querySelector("code").textContent =
      before + (safe ? trial : `'${trial.replaceAll("'", `'"'"'`)}'`) + after;
    copyable(command);
    const how = document.createElement("p");
    how.textContent = "Train it again, and compare each number with its record:";
    box.replaceChildren(title, facts, how, command);
  };
}

async function startExplorer(section) {
  if (!("DecompressionStream" in window) || !document.getElementById("explorer-data")) return;
  const tasks = await explorerData();
  const state = { ...stateOf(location.hash, tasks), shown: [] };
  section.querySelector(".tool").hidden = false;
  section.querySelector(".without").hidden = true;

  let waiting = 0;
  function changed(changes) {
    Object.assign(state, changes);
    state.shown = sorted(state.task, filtered(state.task, state.brushes), state.sort);
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(draw);
  }
  function chosen(changes) {
    changed(changes);
    // A page in a frame may not rewrite its address: the link then stays as it is.
    try { history.replaceState(null, "", linkOf(state)); } catch { /* as above */ }
  }
  const views = [parallelView, curvesView, trialsView, detailView].map((view) => view(section, state, chosen));
  const count = section.querySelector(".count");
  const clear = section.querySelector(".clear");
  const select = section.querySelector("select");
  function draw() {
    const all = state.task.counts.length;
    const step = Math.ceil(state.shown.length / PARALLEL.lines);
    count.textContent = `${state.shown.length.toLocaleString("en")} of ${all.toLocaleString("en")} trials`
      + (step > 1 ? `, one line for every ${step}` : "");
    clear.disabled = state.brushes.size === 0;
    select.value = state.task.name;
    views.forEach((show) => show());
  }
  select.replaceChildren(...tasks.map(({ name }) => new Option(`${name} task`, name)));
  select.hidden = tasks.length === 1;
  select.addEventListener("change", () => {
    const task = tasks.find(({ name }) => name === select.value);
    chosen({ task, brushes: new Map(), selected: null, sort: { key: "", descending: false } });
  });
  clear.addEventListener("click", () => chosen({ brushes: new Map() }));
  addEventListener("hashchange", () => {
    if (location.hash.startsWith("#explorer?")) changed(stateOf(location.hash, tasks));
  });
  new ResizeObserver(() => changed({})).observe(section);
  new MutationObserver(() => changed({})).observe(root, { attributeFilter: ["data-theme"] });
  for (const query of ["(prefers-color-scheme: dark)", "print"]) {
    matchMedia(query).addEventListener("change", () => changed({}));
  }
  changed({});
  if (location.hash.startsWith("#explorer?")) section.scrollIntoView();
}
