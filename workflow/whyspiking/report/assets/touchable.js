"use strict";

// Networks that a reader can touch. The still pictures are drawn by touchable.py; what follows
// computes them anew. Times are in ms.
const touchable = (() => {
  const digits = (x) => `${Number(x.toPrecision(3))}`;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // When a leaky neuron first reaches its threshold (discussion, Eq. 4); null if it does not.
  function fires(cell, times) {
    const order = times.map((_, i) => i).sort((a, b) => times[a] - times[b]);
    let [v, last] = [0, 0];
    for (const i of order) {
      v = v * Math.exp((last - times[i]) / cell.tau_ms) + cell.w[i];
      last = times[i];
      if (v >= cell.theta) return last;
    }
    return null;
  }

  // Its potential, as corners of a curve [time, V].
  function membrane(cell, times) {
    const order = times.map((_, i) => i).sort((a, b) => times[a] - times[b]);
    const corners = [[0, 0]];
    let [v, last] = [0, 0];
    const until = (end) => {
      for (let t = last + 0.25; t < end; t += 0.25) {
        corners.push([t, v * Math.exp((last - t) / cell.tau_ms)]);
      }
      v *= Math.exp((last - end) / cell.tau_ms);
      corners.push([last = end, v]);
    };
    for (const i of order) {
      until(times[i]);
      corners.push([last, v += cell.w[i]]);
    }
    until(cell.end_ms);
    return corners;
  }

  // The two inputs that are closest: [distance, earlier, later].
  function closest(times) {
    const order = times.map((_, i) => i).sort((a, b) => times[a] - times[b]);
    return order.slice(1).map((i, k) => [times[i] - times[order[k]], order[k], i])
      .reduce((a, b) => (b[0] < a[0] ? b : a));
  }

  // The smaller solution u of log u - u = logY <= -1, which is -W0(-y) of Lambert's function.
  function lambertU(logY) {
    const p = Math.sqrt(-2 * Math.expm1(Math.min(logY + 1, 0)));
    const y = Math.exp(logY);
    let u = p < 0.6
      ? 1 - p + p ** 2 / 3 - 11 / 72 * p ** 3 + 43 / 540 * p ** 4
      : y * (1 + y * (1 + 1.5 * y));
    for (let k = 0; k < 4 && p > 0.01; k++) { // Halley's method
      const [f, f1] = [Math.log(u) - u - logY, 1 / u - 1];
      const step = u - 2 * f * f1 / (2 * f1 ** 2 + f / u ** 2);
      if (step > 0 && step < 1) u = step;
    }
    return u;
  }

  // First spikes of neurons with tau_m = tau_s = 1: V(t) = sum w_i (t - t_i) exp(-(t - t_i)).
  // After the event at `now`, V(t) exp(t) is the line d + a (t - now); it meets c exp(t) at
  // t = now - d / a - W(-(c / a) exp(now - d / a)), if at all.
  function firstSpikes(times, weights, c) {
    const order = times.map((_, i) => i).filter((i) => times[i] < Infinity)
      .sort((i, j) => times[i] - times[j]);
    return weights.map((w) => {
      let [a, d] = [0, 0];
      for (const [k, i] of order.entries()) {
        const now = times[i];
        const next = k + 1 < order.length ? times[order[k + 1]] : Infinity;
        a += w[i] * Math.exp(now);
        if (a > 0) {
          const logY = Math.log(c / a) + now - d / a;
          const t = now - d / a + lambertU(logY);
          if (logY <= -1 && t > now && t <= next) return t;
        }
        d += a * (next - now);
      }
      return Infinity;
    });
  }

  // Spikes of the network for a point of the unit square, and its decision (-1: none).
  function decide(net, x, y) {
    const late = (value) => net.early_ms + value * (net.late_ms - net.early_ms);
    const inputs = [...[x, y, 1 - x, 1 - y].map(late), ...net.bias_ms];
    const fire = (times, weights) =>
      firstSpikes(times.map((t) => t / net.tau_ms), weights, net.threshold)
        .map((t) => t * net.tau_ms);
    const hidden = fire(inputs, net.hidden);
    const output = fire([...hidden, ...inputs], net.output);
    const first = Math.min(...output);
    return { inputs, hidden, output, first, choice: first < Infinity ? output.indexOf(first) : -1 };
  }

  // The class of a point: 0 yin, 1 yang, 2 dot.
  function classify([big, small], x, y) {
    const right = Math.hypot(x - 1.5 * big, y - big);
    const left = Math.hypot(x - 0.5 * big, y - big);
    if (right < small || left < small) return 2;
    const bulge = left > small && left <= 0.5 * big;
    return right <= small || bulge || (y > big && right > 0.5 * big) ? 1 : 0;
  }

  // Drag with the pointer or move with keys: `to(x, y)` in pixels of the drawing, `by(dx, dy)` in
  // steps, of which Home and End take as many as there are, Page Up and Page Down ten.
  function movable(svg, handle, to, by) {
    handle.tabIndex = 0;
    handle.setAttribute("role", "slider");
    const move = (event) => {
      const at = new DOMPoint(event.clientX, event.clientY)
        .matrixTransform(svg.getScreenCTM().inverse());
      to(at.x, at.y);
    };
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus({ focusVisible: false });
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) move(event);
    });
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
      PageUp: [0, 10], PageDown: [0, -10], Home: [-1e4, 0], End: [1e4, 0] };
    handle.addEventListener("keydown", (event) => {
      if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      by(...steps[event.key].map((step) => step * (event.shiftKey ? 10 : 1)));
    });
  }

  const within = (x, low, high) => Math.min(Math.max(x, low), high);
  const show = (figure) => {
    for (const part of figure.querySelectorAll(".live, .buttons")) {
      part.hidden = false;
      part.removeAttribute("hidden");
      part.removeAttribute("visibility");
    }
  };

  function oneNeuron(figure) {
    const svg = figure.querySelector("svg");
    const cell = JSON.parse(svg.dataset.network);
    const times = JSON.parse(svg.dataset.times);
    const [theta, line, floor] = ["line.theta", ".axis", ".axis ~ .axis"]
      .map((name) => Number(svg.querySelector(name).getAttribute("y1")));
    const x0 = Number(svg.querySelector(".axis").getAttribute("x1"));
    const x1 = Number(svg.querySelector(".axis").getAttribute("x2"));
    const place = (t) => (x0 + t / cell.end_ms * (x1 - x0)).toFixed(1);
    const height = (v) => (floor - v * (floor - theta) / cell.theta).toFixed(1);
    const handles = [...svg.querySelectorAll(".spike")];
    const draw = () => {
      const at = fires(cell, times);
      const [apart, one, other] = closest(times);
      handles.forEach((handle, k) => {
        handle.setAttribute("transform", `translate(${place(times[k])} 0)`);
        handle.setAttribute("aria-valuenow", digits(times[k]));
        handle.setAttribute("aria-valuetext", `${digits(times[k])} ms`);
        handle.classList.toggle("close", at !== null && (k === one || k === other));
      });
      svg.querySelector(".stems").setAttribute(
        "d", times.map((t) => `M${place(t)} ${line}V${floor}`).join(""));
      svg.querySelector("path.membrane").setAttribute(
        "d", `M${membrane(cell, times).map(([t, v]) => `${place(t)} ${height(v)}`).join("L")}`);
      const mark = svg.querySelector(".fires");
      mark.setAttribute("visibility", at === null ? "hidden" : "visible");
      if (at !== null) {
        const early = at < cell.end_ms / 2;
        mark.querySelector("path").setAttribute("d", `M${place(at)} ${theta}V76`);
        mark.querySelector("text").setAttribute("x", Number(place(at)) + (early ? 8 : -8));
        mark.querySelector("text").setAttribute("text-anchor", early ? "start" : "end");
      }
      const does = at === null ? "stays <strong>silent</strong>."
        : `<strong>fires</strong> at ${digits(at)} ms.`;
      const asked = apart > cell.window_ms && apart < cell.gap_ms
        ? ` (Between ${cell.window_ms} and ${cell.gap_ms} ms it was taught nothing.)` : "";
      figure.querySelector(".says").innerHTML =
        `Inputs ${one + 1} and ${other + 1} are ${digits(apart)} ms apart: the neuron ${does}${asked}`;
    };
    const set = (k, t) => {
      times[k] = within(t, 0, cell.end_ms);
      draw();
    };
    handles.forEach((handle, k) => {
      handle.setAttribute("aria-label", `Input ${k + 1}`);
      handle.setAttribute("aria-valuemin", "0");
      handle.setAttribute("aria-valuemax", cell.end_ms);
      movable(svg, handle, (x) => set(k, (x - x0) / (x1 - x0) * cell.end_ms),
        (dx, dy) => set(k, times[k] + 0.1 * (dx + dy)));
    });
    const trained = cell.tau_ms;
    const tau = figure.querySelector("input");
    const setTau = (value) => {
      cell.tau_ms = value;
      tau.value = String(value);
      tau.parentNode.querySelector("output").textContent = `${digits(value)} ms`;
      draw();
    };
    tau.addEventListener("input", () => setTau(Number(tau.value)));
    figure.querySelector(".trained").addEventListener("click", () => setTau(trained));
    for (const button of figure.querySelectorAll("button[value]")) {
      button.addEventListener("click", () => {
        const free = cell.end_ms - (times.length - 1) * cell.gap_ms;
        const drawn = times.map(() => free * Math.random()).sort((a, b) => a - b);
        drawn.forEach((t, k) => { times[k] = t + k * cell.gap_ms; });
        if (button.value === "1") {
          const k = 1 + Math.floor((times.length - 2) * Math.random());
          times[k] = times[k - 1] + cell.window_ms * Math.random();
        }
        draw();
      });
    }
    show(figure);
    draw();
  }

  // Draw one panel of a raster: a spike a row.
  function ticks(svg, path, times) {
    const [left, right] = [Number(svg.dataset.left), Number(svg.dataset.right)];
    const [from, to] = JSON.parse(svg.dataset.span);
    const [top, pitch, tall] = ["top", "pitch", "tall"].map((name) => Number(path.dataset[name]));
    const place = (t) => left + (t - from) / (to - from) * (right - left);
    path.setAttribute("d", times.map((t, row) => (t >= from && t <= to
      ? `M${place(t).toFixed(1)} ${(top + (row + 0.5) * pitch - tall / 2).toFixed(1)}v${tall}`
      : "")).join(""));
    return place;
  }

  function yinYang(figure) {
    const [plane, raster] = figure.querySelectorAll("svg");
    const net = JSON.parse(plane.dataset.network);
    const at = JSON.parse(plane.dataset.point);
    const handle = plane.querySelector(".point");
    const paths = [...raster.querySelectorAll(".spikes")];
    const [line, when, veil, winner] = [".decision", ".when", ".veil", ".winner"]
      .map((name) => raster.querySelector(name));
    const edge = Number(veil.getAttribute("x")) + Number(veil.getAttribute("width"));
    const draw = () => {
      const found = decide(net, ...at);
      const [, , place] = [found.inputs, found.hidden, found.output]
        .map((times, k) => ticks(raster, paths[k], times));
      const decided = found.choice >= 0 && found.first <= net.end_ms;
      const x = decided ? place(found.first) : edge;
      for (const end of ["x1", "x2"]) line.setAttribute(end, x);
      when.setAttribute("x", x);
      when.setAttribute("text-anchor", x > 240 ? "end" : "start");
      when.textContent = `${net.classes[found.choice]}, ${digits(found.first)} ms`;
      veil.setAttribute("x", x);
      veil.setAttribute("width", edge - x);
      raster.setAttribute("class", `raster c${found.choice}`);
      winner.setAttribute("cx", x);
      const { top, pitch } = paths[2].dataset;
      winner.setAttribute("cy", Number(top) + (found.choice + 0.5) * Number(pitch));
      for (const part of [line, when, winner]) {
        part.setAttribute("visibility", decided ? "visible" : "hidden");
      }
      handle.setAttribute("transform", `translate(${200 * at[0]} ${200 - 200 * at[1]})`);
      const right = classify(net.radii, ...at);
      const before = found.hidden.filter((t) => t < found.first).length;
      const says = figure.querySelector(".says");
      says.innerHTML = decided
        ? `The network decides <strong class="c${found.choice}">${net.classes[found.choice]}</strong> ` +
          `at ${digits(found.first)} ms, after ${before} hidden neurons have fired. ` +
          (right === found.choice
            ? "This decision is correct." : `The correct class is ${net.classes[right]}.`)
        : `No output neuron fires, so there is no decision. The correct class is ${net.classes[right]}.`;
      handle.setAttribute("aria-valuenow", digits(at[0]));
      handle.setAttribute("aria-valuetext", `x ${digits(at[0])}, y ${digits(at[1])}`);
    };
    const set = (x, y) => { // back into the disc where it left it
      const [big] = net.radii;
      const far = Math.max(Math.hypot(x - big, y - big) / big, 1);
      at.splice(0, 2, big + (x - big) / far, big + (y - big) / far);
      draw();
    };
    handle.setAttribute("aria-label", "Point, left and right by x, up and down by y");
    handle.setAttribute("aria-valuemin", "0");
    handle.setAttribute("aria-valuemax", "1");
    movable(plane, handle, (x, y) => set(x / 200, 1 - y / 200),
      (dx, dy) => {
        const [big] = net.radii;
        const y = within(at[1] + 0.01 * dy, 0, 2 * big);
        const half = Math.sqrt(big ** 2 - (y - big) ** 2);
        set(within(at[0] + 0.01 * dx, big - half, big + half), y);
      });
    plane.addEventListener("click", (event) => {
      const to = new DOMPoint(event.clientX, event.clientY)
        .matrixTransform(plane.getScreenCTM().inverse());
      set(to.x / 200, 1 - to.y / 200);
    });
    show(figure);
    draw();
  }

  document.querySelectorAll("#touch-neuron").forEach(oneNeuron);
  document.querySelectorAll("#touch-yin-yang").forEach(yinYang);
  return { fires, closest, decide, classify };
})();

// A network built by hand, whose weights and threshold a reader changes (ground, Eq. 1).
const built = (() => {
  // For every trial the class whose neurons fire most in the answer, -1 where none fires; and the
  // spikes of gates and memories in a trial.
  function answers(net, cue, marker, theta, shown = -1) {
    const [n, k] = [net.gate.length, net.keep.length];
    const steps = Math.round(net.trial_ms / net.dt_ms);
    const late = steps - Math.round(net.last_ms / net.dt_ms);
    const keep = ["gate", "memory"].map((name) => Math.exp(-net.dt_ms / net[`tau_${name}`]));
    const thresholds = [theta, net.theta_memory];
    const first = 4 * net.per_group; // of the marker's inputs
    const scale = net.gate.map((_, i) => i < first ? cue : i < first + net.marker ? marker : 1);
    let fired = 0;
    const marks = [];
    const choices = net.spikes.map((spikes, trial) => {
      const inputs = Array.from({ length: steps }, () => []);
      for (const place of spikes) inputs[Math.floor(place / n)].push(place % n);
      const v = [net.start_gate.slice(), net.start_memory.slice()];
      const counts = Array(k).fill(0);
      for (let step = 0; step < steps; step++) {
        const sent = v.map((own, p) => own.map((_, j) => {
          const u = keep[p] * own[j];
          const spike = u >= thresholds[p];
          own[j] = spike ? 0 : u;
          if (spike) fired += 1;
          if (spike && trial === shown) marks.push([step, p * k + j]);
          if (spike && step >= late) counts[j] += 1;
          return spike;
        }));
        for (let j = 0; j < k; j++) {
          for (const i of inputs[step]) v[0][j] += scale[i] * net.gate[i][j];
          for (let g = 0; g < k; g++) {
            if (!sent[0][g]) continue;
            v[0][j] += net.again[g][j];
            v[1][j] += net.keep[g][j];
          }
          for (const i of inputs[step]) v[1][j] += net.ask[i][j];
        }
      }
      const most = Math.max(...counts);
      return most > 0 ? counts.indexOf(most) : -1;
    });
    return { choices, spikes: fired / choices.length, marks };
  }

  function touch(figure) {
    const net = JSON.parse(figure.dataset.network);
    const inputs = [...figure.querySelectorAll("input")];
    let trial = 0;
    const draw = () => {
      const values = inputs.map((input) => Number(input.value));
      inputs.forEach((input, at) => { input.parentNode.querySelector("output").value = values[at]; });
      const { choices, spikes, marks } = answers(net, ...values, trial);
      const right = choices.filter((choice, at) => choice === net.classes[at]).length;
      figure.querySelector(".says").innerHTML =
        `The network is <strong>right in ${right} of ${choices.length} trials</strong>, with ` +
        `${spikes.toFixed(1)} spikes per trial (chance level: ${choices.length / 4} trials).`;
      const n = net.gate.length;
      const arrived = net.spikes[trial].map((place) => [Math.floor(place / n), place % n]);
      const [input, neurons] = figure.querySelectorAll("path.spikes");
      const tick = (tall) => ([step, row]) => `M${2 + step * 3} ${row * tall + 1}v${tall - 1}`;
      input.setAttribute("d", arrived.map(tick(3)).join(""));
      neurons.setAttribute("d", marks.map(tick(10)).join(""));
      const said = choices[trial] < 0 ? "no answer" : `cue ${choices[trial] + 1}`;
      figure.querySelector(".trial").textContent = `Trial ${trial + 1} of ${choices.length}: ` +
        `the correct answer is cue ${net.classes[trial] + 1}, the network gives ${said}.`;
    };
    inputs.forEach((input) => input.addEventListener("input", draw));
    const [reset, next] = figure.querySelectorAll("button");
    reset.addEventListener("click", () => {
      for (const input of inputs) input.value = input.defaultValue;
      draw();
    });
    next.addEventListener("click", () => {
      trial = (trial + 1) % net.spikes.length;
      draw();
    });
    figure.hidden = false;
    draw();
  }

  document.querySelectorAll("#touch-built").forEach(touch);
  return { answers };
})();
