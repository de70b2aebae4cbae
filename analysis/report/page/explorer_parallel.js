"use strict";
// Parallel coordinates: a line for each trial, an axis for each column that can be filtered.

const PARALLEL = { height: 300, top: 44, bottom: 18, left: 14, right: 74, least: 92, lines: 10000 };

// Where a value lies on its axis: 0 at the bottom, 1 at the top; null if there is none.
function placeOf(column, value) {
  if (value === null) return null;
  if (column.words) return 1 - (value + 0.5) / column.words.length;
  if (column.low === column.high) return 0.5;
  if (column.log) return Math.log(value / column.low) / Math.log(column.high / column.low);
  return (value - column.low) / (column.high - column.low);
}

function valueAt(column, place) {
  if (column.log) return column.low * (column.high / column.low) ** place;
  return column.low + place * (column.high - column.low);
}

// The part of an axis between two places as [low, high]; null if it is all of the axis.
function brushOf(column, low, high) {
  if (low <= 1e-9 && high >= 1 - 1e-9) return null;
  if (!column.words) return [valueAt(column, Math.max(0, low)), valueAt(column, Math.min(1, high))];
  const n = column.words.length;
  const inside = (k) => Math.min(n - 1, Math.max(0, k));
  return [inside(Math.floor((1 - high) * n + 1e-6)), inside(Math.ceil((1 - low) * n - 1e-6) - 1)];
}

function edgesOf(column, brush) {
  if (!brush) return [0, 1];
  const n = column.words?.length;
  if (n) return [1 - (brush[1] + 1) / n, 1 - brush[0] / n];
  return column.low === column.high ? [0, 1] : brush.map((value) => placeOf(column, value));
}

function brushText(column, brush) {
  if (!brush) return "all values";
  const [low, high] = brush.map((value) => (column.words ? column.words[value] : shortNumber(value)));
  return low === high ? String(low) : `${low} to ${high}`;
}

// Values with their texts: words, or the ends and of a few values the others, of many the middle.
function ticksOf(column) {
  if (column.words) return column.words.map((word, k) => [k, word.length > 12 ? `${word.slice(0, 11)}\u2026` : word]);
  const distinct = [...new Set(column.values)].filter((value) => value !== null);
  const between = distinct.length <= 7 ? distinct : [valueAt(column, 0.5)];
  const ticks = [];
  for (const value of new Set([column.low, column.high, ...between])) {
    const apart = (other) => Math.abs(placeOf(column, value) - placeOf(column, other)) > 0.07;
    if (ticks.every(([other]) => apart(other))) ticks.push([value, shortNumber(value)]);
  }
  return ticks;
}

function svgElement(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  if (text !== undefined) element.textContent = text;
  return element;
}

function parallelView(section, state, chosen) {
  const box = section.querySelector(".parallel");
  const [canvas, svg] = [box.querySelector("canvas"), box.querySelector("svg")];
  const { height, top, bottom, left, right, least, lines } = PARALLEL;
  const inner = height - top - bottom;
  const yOf = (place) => top + (1 - place) * inner;
  const placeAt = (y) => Math.min(1, Math.max(0, 1 - (y - top) / inner));
  let width = 0;
  const xOf = (axis) => left + (axis * (width - left - right)) / Math.max(1, state.task.axes.length - 1);

  function setBrush(column, low, high) {
    const brush = brushOf(column, low, high);
    const brushes = new Map(state.brushes);
    if (brush) brushes.set(column.key, brush);
    else brushes.delete(column.key);
    chosen({ brushes });
  }

  function pointOf({ clientX, clientY }) {
    const box = svg.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  }

  function drag(event, column) {
    event.preventDefault();
    event.stopPropagation();
    const from = placeAt(pointOf(event)[1]);
    svg.setPointerCapture(event.pointerId);
    const move = (moved) => {
      const to = placeAt(pointOf(moved)[1]);
      // A click without a drag takes the filter away.
      if (Math.abs(to - from) * inner < 4) setBrush(column, 0, 1);
      else setBrush(column, Math.min(from, to), Math.max(from, to));
    };
    const end = (last) => {
      if (last.type === "pointerup") move(last);
      svg.removeEventListener("pointermove", move);
    };
    svg.addEventListener("pointermove", move);
    svg.addEventListener("pointerup", end, { once: true });
    svg.addEventListener("pointercancel", end, { once: true });
  }

  function press(event, column) {
    if (["Escape", "Delete", "Backspace"].includes(event.key)) return setBrush(column, 0, 1);
    const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!up) return;
    event.preventDefault();
    const step = up / (column.words?.length ?? 20);
    let [low, high] = edgesOf(column, state.brushes.get(column.key));
    const gap = Math.abs(step) * (1 - 1e-6);
    if (event.shiftKey) high = Math.min(1, Math.max(low + gap, high + step));
    else low = Math.max(0, Math.min(high - gap, low + step));
    setBrush(column, low, high);
  }

  function axisElement(column, axis) {
    const brush = state.brushes.get(column.key);
    const [low, high] = edgesOf(column, brush);
    const group = svgElement("g", {
      role: "slider", tabindex: 0, "aria-orientation": "vertical", "aria-label": `Filter ${column.name}`,
      "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * low),
      "aria-valuetext": brushText(column, brush), "data-key": column.key,
      transform: `translate(${xOf(axis)} 0)`,
    });
    const words = column.name.split(" ");
    const name = words.length > 1 ? [words.slice(0, -1).join(" "), words.at(-1)] : ["", column.name];
    name.forEach((text, k) => group.append(svgElement("text", { class: "name", x: axis ? 0 : -8, y: 14 + 15 * k, "text-anchor": axis ? "middle" : "start" }, text)));
    group.append(svgElement("path", { d: `M0 ${yOf(1)}V${yOf(0)}` }));
    const ticks = ticksOf(column);
    if (ticks.length <= 14) {
      for (const [value, text] of ticks) {
        group.append(svgElement("text", { x: 7, y: yOf(placeOf(column, value)) + 4 }, text));
      }
    }
    if (brush) {
      const size = Math.max(8, yOf(low) - yOf(high));
      const middle = (yOf(low) + yOf(high)) / 2;
      group.append(svgElement("rect", { class: "brush", x: -7, width: 14, y: middle - size / 2, height: size }));
    }
    const target = svgElement("rect", { class: "target", x: -16, width: 32, y: top - 8, height: inner + 16 });
    target.addEventListener("pointerdown", (event) => drag(event, column));
    group.append(target);
    group.addEventListener("keydown", (event) => press(event, column));
    return group;
  }

  function path(context, row) {
    const { axes } = state.task;
    let drawing = false;
    context.beginPath();
    axes.forEach((column, axis) => {
      const place = placeOf(column, column.values[row]);
      if (place === null) drawing = false;
      else if (drawing) context.lineTo(xOf(axis), yOf(place));
      else {
        context.moveTo(xOf(axis), yOf(place));
        drawing = true;
      }
    });
    context.stroke();
  }

  // The shown trial whose line passes nearest; null if none is near.
  function nearest(x, y) {
    const { axes } = state.task;
    const step = axes.length > 1 ? xOf(1) - xOf(0) : 1;
    const axis = Math.min(axes.length - 2, Math.max(0, Math.floor((x - xOf(0)) / step)));
    const share = (x - xOf(axis)) / step;
    let best = { row: null, distance: 8 };
    for (const row of state.shown) {
      const [a, b] = [axis, axis + 1].map((k) => placeOf(axes[k], axes[k].values[row]));
      if (a === null || b === null) continue;
      const distance = Math.abs(yOf(a + share * (b - a)) - y);
      if (distance < best.distance) best = { row, distance };
    }
    return best.row;
  }

  svg.addEventListener("pointerdown", (event) => {
    const row = nearest(...pointOf(event));
    if (row !== null) chosen({ selected: row });
  });

  return () => {
    const { task, shown, selected } = state;
    width = Math.max(box.clientWidth, least * (task.axes.length - 1) + left + right);
    const context = clearCanvas(canvas, width, height);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const colors = task.models.map(({ color }) => themeColor(color));
    const models = task.columns.get("model").values;
    if (state.brushes.size) {
      context.strokeStyle = themeColor("var(--rule)");
      thinned(models.map((_, row) => row), lines / 4).forEach((row) => path(context, row));
    }
    context.globalAlpha = Math.min(0.9, Math.max(0.06, 60 / Math.max(1, shown.length)));
    for (const row of thinned(shown, lines)) {
      context.strokeStyle = colors[models[row]];
      path(context, row);
    }
    context.globalAlpha = 1;
    if (selected !== null) {
      context.strokeStyle = themeColor("var(--ink)");
      context.lineWidth = 3;
      path(context, selected);
    }
    const focused = svg.querySelector("g:focus")?.dataset.key;
    svg.replaceChildren(...task.axes.map(axisElement));
    if (focused) svg.querySelector(`g[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };
}
