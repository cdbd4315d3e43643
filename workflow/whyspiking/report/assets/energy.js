// Energy ratios and accuracy against energy, under the cost model that the reader chooses.
const forest = document.getElementById("energy-ratios");
const explorer = document.getElementById("explorer");
const parts = { hardware: "event_driven", counted: "memory_8kb" };
const costModel = () => `${parts.counted}_${parts.hardware}`;
const press = (buttons, isPressed) => {
  for (const button of buttons) button.setAttribute("aria-pressed", String(isPressed(button)));
};

const showRatios = () => {
  for (const row of forest.querySelectorAll("[data-costs]")) {
    const shown = JSON.parse(row.dataset.costs)[costModel()];
    row.className = `${shown.mark}${row.classList.contains("best") ? " best" : ""}`;
    row.querySelector(".ratio").textContent = shown.ratio;
    row.querySelector(".interval").textContent = shown.interval;
    row.querySelector(".said").textContent = shown.verdict;
    if (shown.at === null) continue;
    row.querySelector(".dot").style.left = `${shown.at}%`;
    const { style } = row.querySelector(".ends");
    style.left = `${shown.ends[0]}%`;
    style.right = `${100 - shown.ends[1]}%`;
  }
};

if (forest) {
  const controls = forest.querySelector(".costs");
  const buttons = controls.querySelectorAll("button");
  controls.hidden = false;
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const { part } = button.dataset;
      parts[part.endsWith("driven") ? "hardware" : "counted"] = part;
      press(buttons, (one) => Object.values(parts).includes(one.dataset.part));
      showRatios();
      explorer?.dispatchEvent(new Event("cost"));
    });
  }
}

const svgPart = (name, attributes, text = "") => {
  const part = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
  part.textContent = text;
  return part;
};

// Shapes of marks around (0, 0), so that colour is not all that tells families apart.
const SHAPES = {
  lif: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
  leaky_units: "M-3.5-3.5h7v7h-7z",
  gru: "M0-4.5L4.5 3.5H-4.5z",
  relu: "M0-5L5 0L0 5L-5 0z",
  hand_designed: "M0-8L2-2.5L8-2.5L3.2 1L5 7L0 3.5L-5 7L-3.2 1L-8-2.5L-2-2.5z",
  learning_rule: "M-4.5-4.5L4.5 4.5M-4.5 4.5L4.5-4.5",
};

const explore = (told) => {
  const svg = explorer.querySelector("svg");
  const select = explorer.querySelector("select");
  const read = document.getElementById("explorer-read");
  const buttons = explorer.querySelectorAll("[data-task]");
  let task = told.tasks[0];
  let points = [];
  let chosen = 0;

  const energyOf = (point) => point.energy[told.costs.indexOf(costModel())];

  const describe = (point) => {
    const size = `${point.units} units${point.penalty ? `, spike penalty ${point.penalty}` : ""}`;
    return `${point.label}, ${size}`;
  };

  const choose = (index) => {
    chosen = (index + points.length) % points.length;
    const point = points[chosen];
    select.value = String(chosen);
    const facts = {
      "Hidden units": point.units,
      "Spike penalty": point.penalty,
      "Energy per trial": `${energyOf(point)} nJ`,
      Accuracy: `${point.accuracy} %`,
      "Data sets": point.n,
    };
    const list = document.createElement("dl");
    for (const [name, value] of Object.entries(facts)) {
      if (value === undefined) continue;
      const [term, definition] = ["dt", "dd"].map((tag) => document.createElement(tag));
      [term.textContent, definition.textContent] = [name, value];
      list.append(term, definition);
    }
    const title = document.createElement("strong");
    title.textContent = point.label;
    read.replaceChildren(title, list);
    if (point.file) {
      const link = document.createElement("a");
      link.textContent = `network: ${point.file}`;
      if (hasFiles) link.href = explorer.dataset.base + point.file;
      read.append(link);
    }
    for (const mark of svg.querySelectorAll("[data-point]")) {
      mark.classList.toggle("chosen", mark.dataset.point === String(chosen));
    }
  };

  const draw = () => {
    const width = Math.max(280, svg.parentElement.clientWidth);
    const height = width < 500 ? 300 : 340;
    const [left, right, top, bottom] = [44, width < 500 ? 12 : 110, 14, 44];
    points = task.points.filter((point) => energyOf(point) !== null)
      .sort((a, b) => energyOf(a) - energyOf(b));
    const energies = points.map(energyOf);
    const [low, high] = [0.8 * Math.min(...energies), 1.25 * Math.max(...energies)];
    const floor = 10 * Math.floor(task.chance / 10);
    const span = width - left - right;
    const x = (energy) => left + (span * Math.log(energy / low)) / Math.log(high / low);
    const y = (accuracy) => top + ((height - top - bottom) * (100 - accuracy)) / (100 - floor);
    const path = (xs, ys) => `M${xs.map((at, k) => `${at.toFixed(1)} ${y(ys[k]).toFixed(1)}`).join("L")}`;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    const put = (...given) => svg.append(svgPart(...given));

    for (let accuracy = floor; accuracy <= 100; accuracy += 20) {
      put("line", { class: "grid", x1: left, x2: width - right, y1: y(accuracy), y2: y(accuracy) });
      put("text", { x: left - 6, y: y(accuracy) + 4, "text-anchor": "end" }, accuracy);
    }
    for (let power = -1; power < 6; power += 1) {
      for (const energy of [1, 3].map((first) => first * 10 ** power)) {
        if (energy < low || energy > high) continue;
        put("line", { class: "grid", x1: x(energy), x2: x(energy), y1: top, y2: height - bottom });
        const label = Number(energy.toPrecision(1));
        put("text", { x: x(energy), y: height - bottom + 16, "text-anchor": "middle" }, label);
      }
    }
    const axis = { x: left + span / 2, y: height - 8, "text-anchor": "middle" };
    put("text", axis, "estimated energy per trial (nJ, log scale)");
    const side = { x: 0, y: 0, "text-anchor": "middle", transform: `translate(11 ${height / 2}) rotate(-90)` };
    put("text", side, "accuracy (%)");
    put("line", { class: "chance", x1: left, x2: width - right, y1: y(task.chance), y2: y(task.chance) });
    put("text", { x: width - right - 4, y: y(task.chance) - 5, "text-anchor": "end" }, "chance level");

    const labels = [];
    for (const line of task.lines.filter((one) => one.cost === costModel())) {
      const [first, last] = line.ends;
      const step = Math.log(last / first) / (line.mean.length - 1);
      const xs = line.mean.map((_, k) => Math.min(x(first * Math.exp(step * k)), width - right));
      if (line.family === "lif") {
        const back = path([...xs].reverse(), [...line.low].reverse()).slice(1);
        put("path", { class: "area lif", d: `${path(xs, line.high)}L${back}z` });
      }
      const ends = [[...xs, width - right], [...line.mean, line.mean.at(-1)]];
      put("path", { class: `line ${line.family}`, d: path(...ends) });
      const { label } = points.find((one) => one.kind === "trained" && one.family === line.family);
      labels.push({ label, family: line.family, at: y(line.mean.at(-1)) });
    }
    labels.sort((a, b) => a.at - b.at);
    labels.forEach((one, k) => {
      one.place = Math.max(one.at, k ? labels[k - 1].place + 15 : 0);
      if (right > 50) put("text", { class: one.family, x: width - right + 6, y: one.place + 4 }, one.label);
    });
    const compared = task.compared[costModel()];
    if (compared) {
      const ends = [compared.spiking, compared.other].map(x);
      const at = y(compared.accuracy);
      put("path", { class: "compared", d: `M${ends[0]} ${at - 6}v12m0-6H${ends[1]}m0-6v12` });
      const label = `${compared.ratio} × the energy`;
      put("text", { class: "ratio", x: (ends[0] + ends[1]) / 2, y: at + 20, "text-anchor": "middle" }, label);
    }
    points.forEach((point, k) => {
      const kind = point.kind === "trained" ? point.family : point.kind;
      const place = `translate(${x(energyOf(point)).toFixed(1)} ${y(point.accuracy).toFixed(1)})`;
      const look = `mark ${kind}${point.kind === "trained" ? "" : ` is-${point.family === "lif" ? "lif" : "other"}`}`;
      put("path", { class: look, d: SHAPES[kind], transform: place, "data-point": k });
    });
    select.replaceChildren(...points.map((point, k) => new Option(describe(point), String(k))));
    const spiking = points.filter((one) => one.family === "lif" && one.kind === "trained");
    choose(points.indexOf(spiking.sort((a, b) => b.accuracy - a.accuracy)[0]));
  };

  // The network next to the pointer is chosen.
  const point = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let [nearest, least] = [chosen, Infinity];
    for (const mark of svg.querySelectorAll("[data-point]")) {
      const { e, f } = mark.transform.baseVal.consolidate().matrix;
      const distance = Math.hypot(e - at.x, f - at.y);
      if (distance < least) [nearest, least] = [Number(mark.dataset.point), distance];
    }
    if (least < 40) choose(nearest);
  };
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    choose(chosen + step);
  });
  select.addEventListener("change", () => choose(Number(select.value)));
  for (const button of buttons) {
    button.addEventListener("click", () => {
      task = told.tasks[button.dataset.task];
      press(buttons, (one) => one === button);
      draw();
    });
  }
  explorer.addEventListener("cost", draw);
  addEventListener("resize", draw);
  explorer.hidden = false;
  draw();
};
if (explorer) explore(JSON.parse(explorer.dataset.told));
