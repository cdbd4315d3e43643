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

// Parts of which one is shown at a time; without JavaScript and on paper all of them are.
for (const group of document.querySelectorAll(".choices")) {
  const parts = [...group.querySelectorAll(":scope > [data-label]")];
  const bar = document.createElement("div");
  bar.className = "choose";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", group.dataset.of);
  const choose = (chosen) => {
    parts.forEach((part, k) => {
      part.hidden = part !== chosen;
      bar.children[k].setAttribute("aria-pressed", String(part === chosen));
    });
  };
  for (const part of parts) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = part.dataset.label;
    button.addEventListener("click", () => choose(part));
    bar.append(button);
  }
  group.prepend(bar);
  choose(parts[0]);
}

// What a screen reader is told after a table was sorted.
const announcer = document.createElement("p");
announcer.className = "unseen";
announcer.id = "announcer";
announcer.setAttribute("role", "status");
document.body.append(announcer);

// Sortable tables: click or Enter on a heading; `data-sort` carries a number or rank, else the first
// text of a cell counts, in a column of numbers as a number. Rows without one stay last.
const sortKey = (cell, number) => {
  if (cell?.dataset.sort !== undefined) return cell.dataset.sort;
  const first = [...cell?.childNodes ?? []].find((part) => part.textContent.trim());
  const text = first?.textContent.trim().toLowerCase() ?? "";
  if (!number) return text;
  const found = parseFloat(text.replace("\u2212", "-").replaceAll(",", ""));
  return isNaN(found) ? "" : found;
};
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
      const key = (row) => sortKey(row.cells[column], head.classList.contains("number"));
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
const apart = document.querySelectorAll("[data-beside], [data-checkout]");
const hasFiles = !apart.length || location.pathname.includes("/results/reference/");
for (const link of hasFiles ? apart : []) link.href = link.dataset.beside ?? link.dataset.checkout;
document.getElementById("alone").hidden = hasFiles;

// Every figure as a file, on white: what is drawn, or an image of it, four times as large.
const save = (address, name) => {
  const link = document.createElement("a");
  Object.assign(link, { href: address, download: name }).click();
};
for (const figure of document.querySelectorAll("figure > .picture")) {
  const svg = figure.querySelector("svg");
  const caption = figure.parentElement.querySelector("figcaption");
  if (!svg || !caption) continue;
  const { id } = figure.parentElement;
  const drawn = () => {
    const copy = svg.cloneNode(true);
    copy.setAttribute("style", `${svg.getAttribute("style") ?? ""};color:black;background:white`);
    const text = new XMLSerializer().serializeToString(copy).replaceAll("currentColor", "black");
    return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  };
  const kinds = {
    SVG: () => save(drawn(), `${id}.svg`),
    PNG: () => {
      const image = new Image();
      image.onload = () => {
        const canvas = document.createElement("canvas");
        const box = svg.viewBox.baseVal;
        [canvas.width, canvas.height] = [4 * box.width, 4 * box.height];
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        save(canvas.toDataURL("image/png"), `${id}.png`);
      };
      image.src = drawn();
    },
  };
  const buttons = caption.querySelector(".download") ?? document.createElement("span");
  buttons.className = "download";
  for (const [kind, act] of Object.entries(kinds)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = kind;
    button.setAttribute("aria-label", `Download this figure as ${kind}`);
    button.addEventListener("click", act);
    buttons.append(" ", button);
  }
  caption.append(buttons);
}
