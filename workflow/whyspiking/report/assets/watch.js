// One trial in three networks: the reader moves through time, or lets it play.
const watched = document.getElementById("watch");
const watchTrials = (figure) => {
  const told = JSON.parse(figure.dataset.told);
  const controls = figure.querySelector(".steps");
  const slider = controls.querySelector("input");
  const time = controls.querySelector("output");
  const play = controls.querySelector('[data-move="play"]');
  const last = told.n_steps - 1;
  let [trial, step, timer] = [0, last, 0];

  const write = (value) => value.toFixed(2).replace("-", "\u2212");

  const show = () => {
    const part = figure.querySelector(`[data-shown="${trial}"]`);
    const width = Number(figure.dataset.step);
    slider.value = String(step);
    time.textContent = `${Math.round((step + 1) * told.step_ms)} ms`;
    slider.setAttribute("aria-valuetext", time.textContent);
    for (const veil of part.querySelectorAll(".veil")) {
      veil.setAttribute("x", (step + 1) * width);
      veil.setAttribute("width", (last - step) * width);
    }
    const right = told.trials[trial].class;
    const energies = told.networks.map((network) => network.trials[trial].energy);
    const most = Math.max(...energies.map((energy) => energy.at(-1)));
    for (const box of part.querySelectorAll(".network")) {
      const own = told.networks[box.dataset.network].trials[trial];
      const outputs = own.outputs[step - told.answer_step];
      box.querySelector(".outputs").textContent = outputs
        ? outputs.map(write).join(", ") : "none before the go signal";
      const said = own.choice === right ? "correct" : "wrong";
      box.querySelector(".choice").textContent = step === last
        ? `Decision: cue ${own.choice + 1}, which is ${said}.` : "No decision yet.";
      box.querySelector(".energy").textContent = own.energy[step];
      box.querySelector(".energy-bar").style.width = `${(100 * own.energy[step]) / most}%`;
    }
  };

  const pause = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  };
  const go = (to) => {
    step = Math.min(Math.max(to, 0), last);
    if (step === last) pause();
    show();
  };
  const moves = {
    first: () => go(0),
    back: () => go(step - 1),
    on: () => go(step + 1),
    last: () => go(last),
    play: () => {
      if (timer) { pause(); return; }
      if (step === last) go(0);
      timer = setInterval(() => go(step + 1), 60);
      play.textContent = "Pause";
      play.setAttribute("aria-pressed", "true");
    },
  };
  for (const button of controls.querySelectorAll("[data-move]")) {
    button.addEventListener("click", () => {
      if (button !== play) pause();
      moves[button.dataset.move]();
    });
  }
  slider.addEventListener("input", () => { pause(); go(Number(slider.value)); });
  const choices = controls.querySelectorAll("[data-trial]");
  for (const button of choices) {
    button.addEventListener("click", () => {
      trial = Number(button.dataset.trial);
      for (const one of choices) one.setAttribute("aria-pressed", String(one === button));
      for (const part of figure.querySelectorAll("[data-shown]")) {
        part.hidden = part.dataset.shown !== String(trial);
      }
      show();
    });
  }
  controls.hidden = false;
  show();
};
if (watched) watchTrials(watched);
