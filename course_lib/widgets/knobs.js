// What is dragged on the figure itself: points, and Gaussians by their means and axes. One module with explorer.js.

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
      knob.ariaValueNow = Number(points[i][main].toFixed(6));  // an attribute without powers of ten
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
