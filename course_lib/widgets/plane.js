// The latent plane: a point under the pointer, the picture decoded from it, and the posterior of a picture.

const DEPTH = 10; // nats below the mode at which the posterior's colour has faded to white
const WALK = 4000; // ms from one picture to the other
// White to dark blue, darker all the way: read by everybody, and in print.
const RAMP = [[255, 255, 255], [198, 219, 239], [86, 180, 233], [0, 114, 178], [8, 48, 107]];

function shade(share) {
  const at = clamp(share, 0, 1) * (RAMP.length - 1), i = Math.min(Math.floor(at), RAMP.length - 2);
  return RAMP[i].map((value, c) => value + (RAMP[i + 1][c] - value) * (at - i));
}

// The plane's own canvas: everything but the handle. It is drawn when a posterior or the size changes, not under a drag.
function planeChart(limit) {
  const canvas = element("canvas", { role: "img" }), context = canvas.getContext("2d");
  const margin = 2.6; // em, left and below
  let size = 0, em = 16;
  const inner = () => size - (margin + 0.6) * em;
  const right = (value) => margin * em + (inner() * (value + limit)) / (2 * limit);
  const down = (value) => size - right(value);

  function heat(posterior, cells) {
    const image = element("canvas", { width: cells, height: cells }), pixels = image.getContext("2d"), data = pixels.createImageData(cells, cells);
    posterior.joint.forEach((value, j) => { // the second coordinate runs upwards
      const at = (cells - 1 - (j % cells)) * cells + Math.floor(j / cells);
      data.data.set([...shade(1 + (value - posterior.peak) / DEPTH), 255], 4 * at);
    });
    pixels.putImageData(data, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(image, right(-limit), down(limit), inner(), inner());
  }
  function prior(shaded) {
    for (const sigma of [3, 2, 1]) {
      context.beginPath();
      context.arc(right(0), down(0), right(sigma) - right(0), 0, 2 * Math.PI);
      context.fillStyle = `rgb(77 77 77 / ${6 * (4 - sigma)}%)`;
      if (shaded) context.fill();
      context.stroke();
      label(`${sigma}σ`, right(sigma * Math.SQRT1_2) + 0.15 * em, down(sigma * Math.SQRT1_2));
    }
  }
  function label(text, x, y) { // with a white rim, to be read on any colour
    context.save();
    Object.assign(context, { textAlign: "left", fillStyle: "#4d4d4d", strokeStyle: "#fff", lineWidth: 3 });
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
    context.restore();
  }
  function axes(names) {
    context.fillStyle = "#222";
    context.clearRect(0, down(-limit), size, size);
    context.clearRect(0, 0, right(-limit), size);
    context.strokeRect(right(-limit), down(limit), inner(), inner());
    for (let tick = -Math.floor(limit); tick <= limit; tick += 1) {
      const text = String(tick).replace("-", "−");
      context.fillRect(right(tick) - 0.5, down(-limit), 1, 0.3 * em);
      context.fillRect(right(-limit) - 0.3 * em, down(tick) - 0.5, 0.3 * em, 1);
      context.textAlign = "center";
      context.fillText(text, right(tick), down(-limit) + 0.9 * em);
      context.textAlign = "right";
      context.fillText(text, right(-limit) - 0.5 * em, down(tick));
    }
    context.textAlign = "center";
    context.fillText(names[0], right(0.5), size - 0.6 * em);
    context.fillText(names[1], 0.8 * em, down(0.5));
  }
  function line(ends) {
    context.strokeStyle = context.fillStyle = "#D55E00";
    context.lineWidth = 2;
    context.beginPath();
    ends.forEach((end) => context.lineTo(right(end[0]), down(end[1])));
    context.stroke();
    for (const end of ends) context.fillRect(right(end[0]) - 4, down(end[1]) - 4, 8, 8);
  }
  function draw(names, posterior, cells, ends) {
    size = canvas.clientWidth;
    if (!size) return;
    em = parseFloat(getComputedStyle(canvas).fontSize);
    canvas.width = canvas.height = Math.round(size * devicePixelRatio);
    context.scale(devicePixelRatio, devicePixelRatio);
    context.font = `${0.85 * em}px sans-serif`;
    context.textBaseline = "middle";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, size, size);
    context.strokeStyle = "#4d4d4d";
    if (posterior) heat(posterior, cells);
    context.save();
    context.rect(right(-limit), down(limit), inner(), inner());
    context.clip();
    prior(!posterior);
    if (ends) line(ends);
    context.restore();
    axes(names);
  }
  return { canvas, draw, right, down, unit: () => inner() / (2 * limit) };
}

// The handle on the plane; pointers work anywhere on the stage. `move([first, second])` is called with its new place.
function pointHandle(chart, limit, move) {
  const handle = focusable("div", { className: "explorer-handle", role: "slider", tabIndex: 0, ariaLabel: "point in the latent plane",
    ariaValueMin: -limit, ariaValueMax: limit });
  const stage = element("div", { className: "explorer-plane" }, chart.canvas, handle);
  let at = [0, 0], held = false;
  function follow(event) {
    const box = chart.canvas.getBoundingClientRect(), zoom = box.width / chart.canvas.clientWidth; // a slide may be scaled
    const first = (event.clientX - box.left) / zoom - chart.right(0), second = chart.down(0) - (event.clientY - box.top) / zoom;
    move([first, second].map((pixels) => clamp(pixels / chart.unit(), -limit, limit)));
  }
  stage.addEventListener("pointerdown", (event) => {
    if (!begins(event)) return;
    stage.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    event.preventDefault();
    held = true;
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => { if (held && event.isPrimary) follow(event); });
  for (const end of ["pointerup", "pointercancel"])
    stage.addEventListener(end, (event) => { if (event.isPrimary) held = false; });
  handle.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key], step = (event.shiftKey ? 0.2 : 0.02) * limit;
    if (!arrow) return;
    event.preventDefault();
    move(at.map((value, i) => clamp(value + step * arrow[i], -limit, limit)));
  });
  function show(point, words) {
    at = point;
    Object.assign(handle.style, { left: `${chart.right(at[0])}px`, top: `${chart.down(at[1])}px` });
    Object.assign(handle, { ariaValueNow: at[0].toFixed(2), ariaValueText: words });
  }
  return { stage, show };
}
