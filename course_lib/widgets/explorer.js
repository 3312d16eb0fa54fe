// The face of an explorer: native controls, one canvas, and a flow of questions to the kernel that cannot queue up.

const PATIENCE = 10000; // ms without an answer, after which what was asked is taken as lost

// Questions to the kernel: at most `depth` are out (one when the kernel is slow), the newest values win, and
// every press of a button is kept, in its order. `root` is marked busy while an answer is awaited; `complain` says why
// none will come.
function questions(model, root, complain) {
  const view = Math.random().toString(36).slice(2);
  let waiting = [], asked = 0, answered = 0, depth = 1, last = 0;

  function send(message) {
    last = performance.now();
    try {
      model.send({ view, seq: ++asked, ...message });
    } catch { // it was restarted or shut down
      answered = asked;
      complain("The kernel that drew this is gone. Run the cells again, from the top to this one.");
    }
    root.ariaBusy = String(asked > answered);
  }
  function ask() {
    if (performance.now() - last > PATIENCE) answered = asked;
    if (!waiting.length || asked - answered >= depth) return;
    send({ steps: waiting });
    waiting = [];
  }
  return {
    set(name, value) {
      if (!waiting.at(-1)?.set) waiting.push({ set: {} });
      waiting.at(-1).set[name] = value;
      ask();
    },
    press(name) {
      waiting.push({ press: name });
      ask();
    },
    sharpen: () => send({ steps: [], sharp: true }),
    hear(answer) {
      if (answer.view !== view || answer.seq <= answered) return;
      answered = answer.seq;
      depth = answer.milliseconds < 25 ? 3 : answer.milliseconds < 60 ? 2 : 1;
      ask();
      root.ariaBusy = String(asked > answered);
    },
    idle: () => asked === answered && !waiting.length,
  };
}

// Paints a picture made of layers. A layer is numbers of 32 bits: width, height, where each run of equal pixels
// ends, then the colour of each run; colour 0 lets the layer below through.
function painter(canvas) {
  const context = canvas.getContext("2d");
  let image = null;

  function lay(runs) {
    const pixels = new Uint32Array(image.data.buffer), count = (runs.length - 2) / 2;
    for (let i = 2, start = 0; i < 2 + count; i += 1) {
      if (runs[count + i]) pixels.fill(runs[count + i], start, runs[i]);
      start = runs[i];
    }
  }
  return (...layers) => {
    const numbers = layers.filter((layer) => layer.byteLength).map((layer) => new Uint32Array(
      layer.buffer.slice(layer.byteOffset, layer.byteOffset + layer.byteLength)));
    const [width, height] = numbers[0];
    if (image?.width !== width) {
      Object.assign(canvas, { width, height });
      image = context.createImageData(width, height);
    }
    numbers.forEach(lay);
    context.putImageData(image, 0, 0);
  };
}

// Each control: (its face, change(value), ...) -> { field, show(value, corners) }.

function toggle({ label }, change) {
  const box = focusable("input", { type: "checkbox" });
  box.addEventListener("change", () => change(box.checked));
  const field = element("div", { className: "explorer-field" }, element("label", {}, box, label));
  return { field, show: (value) => { box.checked = value; } };
}

function choice({ label, options }, change) {
  const list = focusable("select", {}, ...options.map((option) => element("option", { value: option }, option)));
  list.addEventListener("change", () => change(list.value));
  const field = element("div", { className: "explorer-field" }, element("label", {}, label, list));
  return { field, show: (value) => { list.value = value; } };
}

function button({ label }, press) {
  const field = focusable("button", { type: "button" }, label);
  field.addEventListener("click", press);
  return { field, show() {} };
}

const CONTROLS = { slider, toggle, choice, button, handles, gaussians };

// Play and pause, for a player: one frame on whenever the one before is there and its time is over.
function playback(flow, frame, last) {
  const play = button({ label: "Play" }, () => (timer ? stop() : begin())).field;
  const speed = slider({ label: "frames a second", low: 1, high: 30, step: 1 }, () => timer && begin());
  let timer = null, wanted = null, end = last;
  speed.show(10);

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  function begin() {
    stop();
    wanted = null;
    play.textContent = "Pause";
    if (frame() >= end) flow.set("frame", 0);
    timer = setInterval(step, 1000 / speed.field.querySelector("input").valueAsNumber);
  }
  function step() {
    if (!flow.idle()) return;
    end = frame() + 1 === wanted ? frame() : last; // a process that did not go on has ended
    if (frame() >= end) return stop();
    wanted = frame() + 1;
    flow.set("frame", wanted);
  }
  return { play, speed: speed.field, stop };
}

function renderExplorer({ model, el }) {
  const { title, size, controls } = model.get("face");
  const root = element("div", { className: "explorer", role: "group", ariaLabel: title });
  root.dataset.lmSuppressShortcuts = "true";
  const canvas = element("canvas", { width: size[0], height: size[1], role: "img" });
  const stage = element("div", { className: "explorer-stage" }, canvas);
  stage.style.width = `${size[0]}px`;
  const error = element("div", { className: "explorer-error", role: "alert", hidden: true });
  function complain(text) {
    if (error.textContent !== text) error.textContent = text; // or it would be read out again
    error.hidden = !text;
  }
  const flow = questions(model, root, complain);
  const parts = Object.entries(controls).map(([name, face]) => {
    const change = face.kind === "button" ? () => flow.press(name) : (value) => flow.set(name, value);
    return { name, ...CONTROLS[face.kind](face, change, stage) };
  });
  const player = "frame" in controls && playback(flow, () => model.get("answer").state.frame, controls.frame.high);
  const fields = parts.map((part) => part.field);
  if (player) fields.splice(0, 4, player.play, ...fields.slice(0, 4), player.speed); // its own four come first
  root.append(element("div", { className: "explorer-title" }, title), stage, error,
    element("div", { className: "explorer-controls" }, ...fields));
  el.append(root);

  const paint = painter(canvas);
  let painted = [];
  function hear() {
    const answer = model.get("answer"), layers = [model.get("below"), model.get("picture")];
    if (layers.some((layer, i) => layer !== painted[i])) paint(...layers);
    painted = layers;
    canvas.ariaLabel = answer.alt;
    complain(answer.error);
    flow.hear(answer);
    if (flow.idle()) parts.forEach(({ name, show }) => show(answer.state[name], answer.corners[name]));
  }
  model.on("change", hear);
  hear();
  function sharpen() { // at once, or when the page is zoomed
    if (devicePixelRatio < 1.5) return;
    removeEventListener("resize", sharpen);
    flow.sharpen();
  }
  addEventListener("resize", sharpen);
  sharpen();
  return () => {
    model.off("change", hear);
    removeEventListener("resize", sharpen);
    if (player) player.stop();
  };
}
