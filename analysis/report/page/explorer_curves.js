"use strict";
// Learning curves of the trials that are shown: validation accuracy against million tokens.

const CURVES = { height: 300, top: 10, bottom: 40, left: 46, right: 12, most: 300 };

// Round numbers from 0 up to a largest one.
function roundTicks(largest, most) {
  const power = 10 ** Math.floor(Math.log10(largest / most));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= largest / most);
  return Array.from({ length: Math.floor(largest / step + 1e-9) + 1 }, (_, k) => Number((k * step).toPrecision(6)));
}

function curvesView(section, state, chosen) {
  const box = section.querySelector(".curves");
  const canvas = box.querySelector("canvas");
  const note = box.querySelector(".note");
  const tip = document.getElementById("tip");
  const { height, top, bottom, left, right, most } = CURVES;
  let [width, largest, drawn] = [0, 1, []];
  const xOf = (tokens) => left + (tokens / largest) * (width - left - right);
  const yOf = (accuracy) => top + (1 - accuracy) * (height - top - bottom);
  let at = null; // the evaluation that the keys have come to

  function axes(context) {
    context.font = "12px system-ui, sans-serif";
    const [rule, quiet] = ["var(--rule)", "var(--quiet)"].map(themeColor);
    const line = (y, color, dashes) => {
      context.strokeStyle = color;
      context.setLineDash(dashes);
      context.beginPath();
      context.moveTo(left, yOf(y));
      context.lineTo(width - right, yOf(y));
      context.stroke();
      context.setLineDash([]);
    };
    context.fillStyle = quiet;
    context.textAlign = "right";
    for (const accuracy of [0, 0.25, 0.5, 0.75, 1]) {
      line(accuracy, rule, []);
      context.fillText(accuracy, left - 6, yOf(accuracy) + 4);
    }
    line(Number(section.dataset.solved), quiet, [1, 3]);
    line(state.task.chance, quiet, [1, 3]);
    context.textAlign = "center";
    const ticks = roundTicks(largest, width > 500 ? 8 : 4);
    ticks.forEach((tokens) => context.fillText(tokens, xOf(tokens), height - bottom + 18));
    context.fillText("million tokens", (left + width - right) / 2, height - 4);
  }

  function stroke(context, points) {
    context.beginPath();
    points.forEach(([tokens, accuracy], k) => context[k ? "lineTo" : "moveTo"](xOf(tokens), yOf(accuracy)));
    if (points.length === 1) context.lineTo(xOf(points[0][0]) + 1, yOf(points[0][1]));
    context.stroke();
  }

  function nearest(x, y) {
    let best = { row: null, distance: 40 ** 2 };
    for (const [row, points] of drawn) {
      points.forEach(([tokens, accuracy], index) => {
        const distance = (xOf(tokens) - x) ** 2 + (yOf(accuracy) - y) ** 2;
        if (distance < best.distance) best = { row, index, points, distance };
      });
    }
    return best;
  }

  function showTip({ row, index, points }) {
    const [tokens, accuracy] = points[index];
    const value = document.createElement("b");
    value.textContent = `${accuracy.toFixed(3)} at ${tokens.toFixed(2)} M tokens`;
    const { columns } = state.task;
    tip.replaceChildren(value, `${columns.get("trial").values[row]}, ${textOf(columns.get("model"), row)}`);
    tip.hidden = false;
    const screen = canvas.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    const [x, y] = [screen.left + xOf(tokens), screen.top + yOf(accuracy)];
    tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - size.width - 8))}px`;
    tip.style.top = `${y + 14 + size.height > innerHeight ? y - size.height - 14 : y + 14}px`;
  }
  const hideTip = () => { tip.hidden = true; };

  canvas.addEventListener("pointermove", (event) => {
    const found = nearest(event.offsetX, event.offsetY);
    if (found.row === null) hideTip();
    else showTip(found);
  });
  canvas.addEventListener("pointerleave", hideTip);
  canvas.addEventListener("blur", hideTip);
  canvas.addEventListener("click", (event) => {
    const { row } = nearest(event.offsetX, event.offsetY);
    if (row !== null) chosen({ selected: row });
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hideTip();
    const { shown, task } = state;
    const [trial, evaluation] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (trial === undefined || !shown.length) return;
    event.preventDefault();
    const place = shown.indexOf(state.selected);
    const row = place < 0 ? shown[0] : shown[(place + trial + shown.length) % shown.length];
    const points = curveOf(task, row);
    at = row === state.selected && at !== null ? at + evaluation : points.length - 1;
    at = Math.max(0, Math.min(points.length - 1, at));
    if (row !== state.selected) chosen({ selected: row });
    if (points.length) showTip({ row, index: at, points });
  });

  return () => {
    const { task, shown, selected } = state;
    width = box.clientWidth;
    const context = clearCanvas(canvas, width, height);
    const rows = shown.filter((row) => task.counts[row]);
    drawn = thinned(rows, most).map((row) => [row, curveOf(task, row)]);
    const chosenCurve = selected === null ? [] : curveOf(task, selected);
    largest = Math.max(1e-3, ...[...drawn.map(([, points]) => points), chosenCurve].map((points) => points.at(-1)?.[0] ?? 0));
    axes(context);
    const models = task.columns.get("model").values;
    const colors = task.models.map(({ color }) => themeColor(color));
    context.globalAlpha = Math.min(0.9, Math.max(0.25, 20 / Math.max(1, drawn.length)));
    for (const [row, points] of drawn) {
      context.strokeStyle = colors[models[row]];
      stroke(context, points);
    }
    context.globalAlpha = 1;
    if (chosenCurve.length) {
      context.strokeStyle = themeColor("var(--ink)");
      context.lineWidth = 3;
      stroke(context, chosenCurve);
      drawn.push([selected, chosenCurve]);
    }
    note.textContent = rows.length > most
      ? `Validation accuracy. ${Math.min(drawn.length, most)} of ${rows.length.toLocaleString("en")} curves are drawn: filter to see others.`
      : "Validation accuracy. Dotted lines: solved, and chance.";
  };
}
