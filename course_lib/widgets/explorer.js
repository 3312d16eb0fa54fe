// The face of an explorer: native controls, one canvas, and a flow of questions to the kernel that cannot queue up.

const PATIENCE = 10000; // ms without an answer, after which what was asked is taken as lost

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// What takes the focus. JupyterLab must leave its keys alone, and asks the focused element first.
function focusable(tag, properties, ...children) {
  const made = element(tag, properties, ...children);
  made.dataset.lmSuppressShortcuts = "true";
  return made;
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const short = (value) => String(Number(value.toPrecision(6)));

// Questions to the kernel: at most `depth` are out (one when the kernel is slow), the newest values win, and
// every press of a button is kept, in its order. `root` is marked busy while an answer is awaited.
function questions(model, root) {
  const view = Math.random().toString(36).slice(2);
  let waiting = [], asked = 0, answered = 0, depth = 1, last = 0;

  function send(message) {
    last = performance.now();
    root.ariaBusy = "true";
    model.send({ view, seq: ++asked, ...message });
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

function slider({ label, low, high, step }, change) {
  const range = focusable("input", { type: "range", min: low, max: high, step });
  const number = focusable("input", { type: "number", min: low, max: high, step, ariaLabel: label });
  const show = (value) => { range.value = value; number.value = short(value); };
  range.addEventListener("input", () => { number.value = range.value; change(range.valueAsNumber); });
  number.addEventListener("change", () => {
    range.value = clamp(number.valueAsNumber || 0, low, high); // on the nearest step
    number.value = range.value;
    change(range.valueAsNumber);
  });
  return { field: element("div", { className: "explorer-field" }, element("label", {}, label, range), number), show };
}

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

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

// Knobs on the stage that are dragged by the pointer or the arrow keys. `move(i, target)` is told where to, in the units
// of the data and within the bounds; `place(points, corners)` says where they lie.
function knobs(names, { drag = "xy", bounds }, stage, move) {
  const free = [drag.includes("x"), drag.includes("y")];
  const main = free[0] ? 0 : 1; // the coordinate that a screen reader is told as the value
  const made = names.map((name) => focusable("div", {
    className: "explorer-handle", role: "slider", tabIndex: 0, ariaLabel: name,
    ariaValueMin: bounds[main][0], ariaValueMax: bounds[main][1],
  }));
  let points = [], corners = [[0, 0], [1, 1]]; // of the bounds, as fractions of the stage from its bottom left

  function under(pointer) {
    const box = stage.getBoundingClientRect();
    const at = [(pointer.clientX - box.left) / box.width, (box.bottom - pointer.clientY) / box.height];
    return at.map((value, d) => bounds[d][0] + (bounds[d][1] - bounds[d][0])
      * (value - corners[0][d]) / (corners[1][d] - corners[0][d]));
  }
  const ask = (i, target) => move(i, points[i].map((value, d) => free[d] ? clamp(target[d], ...bounds[d]) : value));
  made.forEach((knob, i) => {
    knob.addEventListener("pointerdown", (event) => knob.setPointerCapture(event.pointerId));
    knob.addEventListener("pointermove", (event) => { if (event.buttons) ask(i, under(event)); });
    knob.addEventListener("keydown", (event) => {
      if (!(event.key in ARROWS)) return;
      event.preventDefault();
      const size = event.shiftKey ? 0.1 : 0.01; // of the bounds
      ask(i, points[i].map((value, d) => value + ARROWS[event.key][d] * size * (bounds[d][1] - bounds[d][0])));
    });
  });
  stage.append(...made);

  function place(now, where = corners) {
    [points, corners] = [now, where];
    made.forEach((knob, i) => {
      const [left, bottom] = points[i].map((value, d) => corners[0][d] + (corners[1][d] - corners[0][d])
        * (value - bounds[d][0]) / (bounds[d][1] - bounds[d][0]));
      Object.assign(knob.style, { left: `${100 * left}%`, top: `${100 * (1 - bottom)}%` });
      knob.ariaValueNow = short(points[i][main]);
      knob.ariaValueText = `x = ${short(points[i][0])}, y = ${short(points[i][1])}`;
    });
  }
  return { made, place };
}

function handles(face, change, stage) {
  let points = [];
  const names = Array.from({ length: face.count }, (_, i) => `${face.label} ${i + 1}`);
  const { place } = knobs(names, face, stage, (i, target) => {
    points = points.with(i, target);
    place(points);
    change(points);
  });
  return { field: "", show(values, corners) { points = values; place(points, corners); } };
}

// A Gaussian is held by its mean and by the axes of its ellipse at one standard deviation, at right angles as seen: the
// angle of the first, and the length of each in pixels. In one dimension the second has no length.
function gaussians({ label, count, bounds, height }, change, stage) {
  const line = height !== null, parts = line ? ["mean", "standard deviation"] : ["mean", "first axis", "second axis"];
  const shortest = 4; // pixels, so that no covariance is singular
  let held = [], unit = [1, 1]; // pixels for each unit of the data

  const arm = ({ angle, lengths }, k) => [Math.cos, Math.sin]
    .map((part, d) => lengths[k] * part(angle + k * Math.PI / 2) / unit[d]);
  const ends = (one) => parts.map((_, part) => part ? arm(one, part - 1).map((value, d) => one.mean[d] + value) : one.mean);
  const product = (arms, d, e) => arms[0][d] * arms[0][e] + arms[1][d] * arms[1][e];

  function valueOf(one) {
    const arms = [arm(one, 0), arm(one, 1)];
    return line ? { mean: [one.mean[0]], covariance: [[product(arms, 0, 0)]] }
      : { mean: one.mean, covariance: [0, 1].map((d) => [0, 1].map((e) => product(arms, d, e))) };
  }
  // Of the two axes, in either direction, that is the first which is nearest to the one held before.
  function hold({ mean, covariance }, before) {
    if (line) [mean, covariance] = [[mean[0], height], [[covariance[0][0], 0], [0, 0]]];
    const [[a, b], [, c]] = covariance.map((row, d) => row.map((value, e) => value * unit[d] * unit[e]));
    const round = Math.hypot(a - c, 2 * b) < 1e-9 * (a + c), quarter = Math.PI / 2;
    let angle = Math.atan2(2 * b, a - c) / 2;
    if (before) angle = round ? before.angle : angle + quarter * Math.round((before.angle - angle) / quarter);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const squares = [a * cos * cos + 2 * b * cos * sin + c * sin * sin, a * sin * sin - 2 * b * cos * sin + c * cos * cos];
    return { mean, angle, lengths: squares.map((square) => Math.sqrt(Math.max(square, 0))) };
  }
  function moved(one, part, target) {
    if (!part) return { ...one, mean: target };
    const [x, y] = target.map((value, d) => (value - one.mean[d]) * unit[d]);
    const angle = Math.atan2(y, x) - (part - 1) * Math.PI / 2;
    return { ...one, angle, lengths: one.lengths.with(part - 1, Math.max(Math.hypot(x, y), shortest)) };
  }
  const names = Array.from({ length: count }, (_, k) => parts.map((part) => `${label} ${k + 1}, ${part}`)).flat();
  const { made, place } = knobs(names, { drag: line ? "x" : "xy", bounds }, stage, (i, target) => {
    const k = Math.floor(i / parts.length);
    held = held.with(k, moved(held[k], i % parts.length, target));
    place(held.flatMap(ends));
    change(held.map(valueOf));
  });
  made.forEach((knob, i) => knob.classList.toggle("explorer-axis", i % parts.length > 0));
  return {
    field: "",
    show(values, corners) {
      const { width, height } = stage.querySelector("canvas");
      unit = [width, height].map((size, d) => size * (corners[1][d] - corners[0][d]) / (bounds[d][1] - bounds[d][0]));
      held = values.map((value, k) => hold(value, held[k]));
      place(held.flatMap(ends), corners);
    },
  };
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

function render({ model, el }) {
  const { title, size, controls } = model.get("face");
  const root = element("div", { className: "explorer", role: "group", ariaLabel: title });
  root.dataset.lmSuppressShortcuts = "true";
  const flow = questions(model, root);
  const canvas = element("canvas", { width: size[0], height: size[1], role: "img" });
  const stage = element("div", { className: "explorer-stage" }, canvas);
  stage.style.width = `${size[0]}px`;
  const error = element("div", { className: "explorer-error", role: "alert", hidden: true });
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
    if (error.textContent !== answer.error) error.textContent = answer.error; // or it would be read out again
    error.hidden = !answer.error;
    flow.hear(answer);
    if (flow.idle()) parts.forEach(({ name, show }) => show(answer.state[name], answer.corners[name]));
  }
  model.on("change", hear);
  hear();
  if (devicePixelRatio >= 1.5) flow.sharpen();
  return () => {
    model.off("change", hear);
    if (player) player.stop();
  };
}

export default { render };
