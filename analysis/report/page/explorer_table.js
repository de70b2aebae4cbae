"use strict";
// The trials that are shown, as a table of which a button adds more rows.

function trialsView(section, state, chosen) {
  const table = section.querySelector("table.trials");
  const more = section.querySelector(".more");
  const PAGE = 15;
  let [limit, before] = [PAGE, null];
  more.addEventListener("click", () => {
    limit += 5 * PAGE;
    chosen({});
  });

  function header(column) {
    const cell = document.createElement("th");
    cell.scope = "col";
    if (column.words || column.key === "trial") cell.className = "word";
    const current = state.sort.key === column.key;
    const order = state.sort.descending ? "descending" : "ascending";
    cell.setAttribute("aria-sort", current ? order : "none");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = column.name;
    button.dataset.key = column.key;
    button.addEventListener("click", () => {
      chosen({ sort: { key: column.key, descending: current && !state.sort.descending } });
    });
    cell.append(button);
    return cell;
  }

  function line(row, columns) {
    const element = document.createElement("tr");
    if (row === state.selected) element.setAttribute("aria-current", "true");
    for (const column of columns) {
      const cell = document.createElement(column.key === "trial" ? "th" : "td");
      if (column.words) cell.className = "word";
      if (column.key === "trial") {
        cell.scope = "row";
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.row = row;
        button.textContent = textOf(column, row);
        cell.append(button);
      } else {
        cell.textContent = textOf(column, row);
      }
      element.append(cell);
    }
    element.addEventListener("click", () => chosen({ selected: row }));
    return element;
  }

  return () => {
    const { task, shown, sort } = state;
    const view = `${task.name} ${sort.key} ${sort.descending} ${[...state.brushes].join()}`;
    if (before !== view) limit = PAGE;
    before = view;
    const columns = [...task.columns.values()].filter(({ key }) => key !== "error");
    // What was in focus is replaced by its like.
    const focus = table.contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
    table.tHead.replaceChildren(document.createElement("tr"));
    table.tHead.rows[0].append(...columns.map(header));
    table.tBodies[0].replaceChildren(...shown.slice(0, limit).map((row) => line(row, columns)));
    more.hidden = shown.length <= limit;
    more.textContent = `Show more of ${shown.length.toLocaleString("en")} trials`;
    if (focus?.key) table.querySelector(`[data-key="${CSS.escape(focus.key)}"]`)?.focus({ preventScroll: true });
    if (focus?.row) table.querySelector(`[data-row="${focus.row}"]`)?.focus({ preventScroll: true });
  };
}
