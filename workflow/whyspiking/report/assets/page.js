"use strict";

// Light or dark: follows the system until the button is pressed.
const theme = document.getElementById("theme");
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => {
  const chosen = document.documentElement.style.colorScheme;
  return chosen ? chosen === "dark" : systemDark.matches;
};
const nameTheme = () => { theme.textContent = isDark() ? "Light page" : "Dark page"; };
theme.hidden = false;
nameTheme();
theme.addEventListener("click", () => {
  document.documentElement.style.colorScheme = isDark() ? "light" : "dark";
  nameTheme();
});
systemDark.addEventListener("change", nameTheme);

// What a screen reader is told after a table was sorted.
const announcer = document.createElement("p");
announcer.className = "unseen";
announcer.id = "announcer";
announcer.setAttribute("role", "status");
document.body.append(announcer);

// Sortable tables: click or Enter on a heading; `data-sort` carries a number or rank. Rows without a
// value, or without the cell, stay last.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => {
        const cell = row.cells[column];
        return cell ? cell.dataset.sort ?? cell.textContent.trim().toLowerCase() : "";
      };
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => {
        const [left, right] = [key(a), key(b)];
        if (left === "" || right === "") return (left === "") - (right === "");
        const numbers = !isNaN(left) && !isNaN(right);
        const order = numbers ? left - right : left.localeCompare(right);
        return down ? -order : order;
      });
      table.tBodies[0].append(...rows);
      const order = down ? "descending" : "ascending";
      announcer.textContent = `sorted by ${button.textContent}, ${order}`;
    });
  });
}

// Filters: words to contain, and the value of one column; what is found is unfolded.
for (const controls of document.querySelectorAll(".controls")) {
  const within = document.getElementById(controls.dataset.within);
  const rows = [...within.querySelectorAll("tbody tr")];
  const folds = [...within.querySelectorAll("details")];
  const fields = [...controls.querySelectorAll("input, select")];
  const status = controls.querySelector("[role=status]");
  const apply = () => {
    const asked = fields.some((field) => field.value.trim());
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = fields.some((field) =>
        field.name
          ? field.value && row.dataset[field.name] !== field.value
          : !text.includes(field.value.trim().toLowerCase()));
      shown += row.hidden ? 0 : 1;
    }
    for (const fold of folds) {
      const found = fold.querySelector("tbody tr:not([hidden])") !== null;
      fold.hidden = !found;
      if (asked) fold.open = found;
    }
    status.textContent = `${shown} of ${rows.length} shown`;
  };
  fields.forEach((field) => field.addEventListener("input", apply));
  controls.hidden = false;
  apply();
}

// A page of the record is also read where nothing lies beside it: there its links stay words.
if (location.pathname.includes("/results/reference/")) {
  for (const words of document.querySelectorAll(".elsewhere")) {
    const link = document.createElement("a");
    link.href = words.dataset.href;
    link.append(...words.childNodes);
    words.replaceWith(link);
  }
}
