// The view of a LatentPlane: one state, the traits of the model, and parts that follow it.

// The decoder of a model, its pictures, and the posterior of the picture in the state, whose table is filled in slices.
function latentModel(model, progress) {
  const { layers, shape, limit, cells, labels, draws, count } = model.get("face"), pixels = shape[0] * shape[1];
  const weights = bytes(model.get("weights")).slice().buffer, quantised = "unit" in layers[0];
  const net = network(layers, quantised ? new Int16Array(weights) : new Float32Array(weights));
  const images = bytes(model.get("images")), everything = new Uint8Array(pixels).fill(1);
  const grid = count || draws ? latentGrid(cells, limit, pixels) : null;
  const unit = (ink) => Float32Array.from(ink, (value) => value / 255);
  let filledFor = "", filled = 0, stop = () => {};

  const decode = (z, label = model.get("label")) =>
    net(labels.length ? [...z, ...labels.map((_, k) => Number(k === label))] : z);
  const place = (point) => model.get("z").map((value, d) => point[model.get("axes").indexOf(d)] ?? value);
  const picture = () => unit(bytes(model.get("ink_bytes")));
  const seen = () => (draws ? bytes(model.get("seen_bytes")) : everything);

  // Fills the table anew whenever what it depends on has changed: the label, and the coordinates that are not on the plane.
  function keep() {
    const now = JSON.stringify([model.get("label"), model.get("axes"), place([0, 0])]);
    if (!grid || now === filledFor) return;
    stop();
    [filledFor, filled] = [now, 0];
    stop = inSlices(grid.points.length, (j) => {
      grid.put(j, decode(place(grid.points[j])));
      filled = j + 1;
      if (filled % 500 === 0) progress();
    }, progress);
  }
  function modeOf(x) {
    const height = (point) => logPrior(point) + logLikelihood(decode(place(point)), x, seen());
    return climb(height, grid.posterior(x, seen()).best, grid.width / 2, 0.002, limit);
  }
  return {
    decode, place, picture, keep, modeOf,
    ink: (i) => images.slice(i * pixels, (i + 1) * pixels),
    image: (i) => unit(images.subarray(i * pixels, (i + 1) * pixels)),
    filled: () => filled / (grid ? grid.points.length : 1),
    posterior: () => (grid && filled === grid.points.length ? grid.posterior(picture(), seen()) : null),
    fit: (z) => logLikelihood(decode(z), picture(), seen()),
    stop: () => stop(),
  };
}

// Numbers of a fixed width, one a line: { name: text }.
function readings() {
  const field = element("div", { className: "explorer-readings" }), cells = {};
  function show(lines) {
    for (const [name, text] of Object.entries(lines)) {
      cells[name] ??= field.appendChild(element("div", {}, element("span"), element("span"))).children;
      [cells[name][0].textContent, cells[name][1].textContent] = text;
    }
  }
  return { field, show };
}

// The walk from the picture to another image: a slider, and a button that moves it.
function walk(model, count, change) {
  const names = Array.from({ length: count }, (_, i) => `image ${i}`);
  const to = choice("walk to", names, (i) => change({ to: i }));
  const share = slider({ label: "share of the way", low: 0, high: 1, step: 0.01 }, (value) => change({ share: value }));
  const play = button("Play", () => (running ? halt() : run()));
  let running = 0;
  function halt() {
    cancelAnimationFrame(running);
    running = 0;
    play.textContent = "Play";
  }
  function run() {
    const from = model.get("share") < 1 ? model.get("share") : 0, begin = performance.now();
    play.textContent = "Pause";
    const step = (now) => {
      const value = Math.min(1, from + Math.max(0, now - begin) / WALK);
      change({ share: value });
      if (value < 1) running = requestAnimationFrame(step);
      else halt();
    };
    running = requestAnimationFrame(step);
  }
  const show = () => { to.show(model.get("to")); share.show(model.get("share")); };
  return { fields: [to.field, share.field, play], show, halt };
}

// Which two coordinates are on the plane, and sliders for the others.
function coordinates(model, dimensions, limit, change) {
  const names = Array.from({ length: dimensions }, (_, d) => `z${d + 1}`);
  const axis = (label, here) => choice(label, names, (d) => {
    const axes = [...model.get("axes")];
    if (axes[1 - here] === d) axes[1 - here] = axes[here];
    axes[here] = d;
    change({ axes });
  });
  const lists = [axis("across", 0), axis("up", 1)];
  const sliders = names.map((label, d) => slider({ label, low: -limit, high: limit, step: 0.01 },
    (value) => change({ z: model.get("z").map((old, k) => (k === d ? value : old)) })));
  function show() {
    lists.forEach((list, i) => list.show(model.get("axes")[i]));
    sliders.forEach(({ field, show: move }, d) => {
      field.hidden = model.get("axes").includes(d);
      move(model.get("z")[d]);
    });
  }
  return { fields: [...lists, ...sliders].map((part) => part.field), show };
}

function renderPlane({ model, el }) {
  const { shape, limit, cells, labels, dimensions, count, draws } = model.get("face");
  const tell = teller(model), change = (news) => { model.set(news); tell(); };
  const latent = latentModel(model, () => show()), hasPicture = count > 0 || draws;
  const chart = planeChart(limit), numbers = readings();
  const handle = pointHandle(chart, limit, (point) => change({ z: latent.place(point) }));
  const decoded = pixelPicture(shape, { role: "img" });
  const others = dimensions > 2 && coordinates(model, dimensions, limit, change);
  const strip = labels.length && gallery({ label: "label", names: labels, shape }, (k) => change({ label: k }));
  const thumbs = count && gallery({ label: "image", names: [...Array(count).keys()].map(String), shape },
    (i) => change({ image: i, ink_bytes: latent.ink(i) }));
  const [read, redraw] = drawing(model, tell);
  const chosen = draws
    ? pad({ shape, label: "picture" }, read, (news) => { if (news.ink) model.set({ image: -1 }); redraw(news); })
    : still(shape, read);
  const path = count > 1 && walk(model, count, change);
  const toMode = button("To the posterior's mode", () => posterior && change({ z: latent.place(latent.modeOf(latent.picture())) }));
  let posterior = null, ends = null, shown = {};

  const acts = element("div", { className: "explorer-controls" }, toMode, ...(path ? path.fields : []));
  const legend = element("div", { className: "explorer-legend" }, element("span", { className: "explorer-ramp" }),
    `0 to −${DEPTH} nats from the posterior's mode`);
  const complain = frame(model, el,
    column(hasPicture ? "posterior p(z | x), prior within 1, 2, 3 σ" : "latent plane, prior within 1, 2, 3 σ", handle.stage, ...(hasPicture ? [legend] : []), numbers.field, ...(others ? others.fields : [])),
    column("decoded: probability of ink", decoded.canvas, ...(strip ? [strip.field] : [])),
    ...(hasPicture ? [column("picture x", chosen.field), element("div", { className: "explorer-row" }, ...(thumbs ? [thumbs.field] : []), acts)] : []));

  function show() {
    latent.keep();
    const now = Object.fromEntries(["axes", "ink_bytes", "seen_bytes", "to"].map((name) => [name, model.get(name)]));
    now.filled = latent.filled();
    if (Object.keys(now).some((name) => now[name] !== shown[name])) {
      shown = { ...shown, ...now };
      ends = null;
      posterior = latent.posterior();
      drawChart();
      if (hasPicture) chosen.show();
    }
    if (model.get("share") !== (shown.share ??= model.get("share")) && posterior) goTo(model.get("share"));
    showPoint();
    [others, path].forEach((part) => part && part.show());
    if (thumbs) thumbs.show(model.get("image"));
    complain();
  }
  function goTo(share) {
    shown.share = share;
    if (!ends) {
      ends = [latent.modeOf(latent.picture()), latent.modeOf(latent.image(model.get("to")))];
      drawChart();
    }
    change({ z: latent.place(ends[0].map((value, i) => value + share * (ends[1][i] - value))) });
  }
  const names = () => model.get("axes").map((d) => `z${d + 1}`);
  const drawChart = () => chart.draw(names(), posterior, cells, ends);
  function showPoint() {
    const z = model.get("z"), point = model.get("axes").map((d) => z[d]), at = `(${z.map((value) => signed(value)).join(", ")})`;
    const given = labels.length ? ", y" : "", rest = dimensions > 2 ? ", other z" : "", where = `${given}${rest}`.replace(", ", " | ");
    const lines = { z: ["z", at], prior: ["log p(z)", `${signed(logPrior(z))} nats`] };
    if (hasPicture) {
      lines.fit = [`log p(x | z${given})`, `${signed(latent.fit(z))} nats`];
      lines.evidence = [`log p(x${where})`, posterior ? `${signed(posterior.evidence)} nats` : `… ${Math.floor(100 * latent.filled())} %`];
    }
    numbers.show(lines);
    const words = Object.values(lines).map(([name, text]) => `${name} = ${text}`).join(", ");
    handle.show(point, words);
    chart.canvas.ariaLabel = `Plane of ${names().join(" and ")} from −${limit} to ${limit}, prior N(0, I) with circles at 1, 2 and 3 sigma`
      + `${posterior ? `, posterior of the picture with its mode near (${posterior.best.map((v) => signed(v)).join(", ")})` : ""}; ${words}.`;
    showDecoded(z, at);
  }
  function showDecoded(z, at) {
    if (strip) {
      strip.show(model.get("label"));
      strip.pictures.forEach(({ paint }, k) => paint(latent.decode(z, k).map(sigmoid), 1));
    }
    const ink = latent.decode(z).map(sigmoid);
    decoded.paint(ink, 1);
    decoded.canvas.ariaLabel = `Decoded picture at z = ${at}${strip ? `, label ${labels[model.get("label")]}` : ""}: `
      + `${Math.round((100 * ink.filter((p) => p > 0.5).length) / ink.length)} % of the pixels are more likely ink than paper.`;
  }

  if (thumbs) thumbs.pictures.forEach(({ paint }, i) => paint(latent.ink(i), 255));
  const repaint = () => { drawChart(); showPoint(); };
  const watch = new ResizeObserver(repaint);
  watch.observe(chart.canvas);
  addEventListener("resize", repaint); // a page that is zoomed has other pixels, though the canvas keeps its size
  model.on("change", show);
  show();
  return () => {
    watch.disconnect();
    removeEventListener("resize", repaint);
    latent.stop();
    if (path) path.halt();
    model.off("change", show);
  };
}

const column = (caption, ...parts) =>
  element("div", { className: "explorer-part" }, element("div", { className: "explorer-caption" }, caption), ...parts);

// A picture that cannot be drawn upon.
function still(shape, read) {
  const { canvas, paint } = pixelPicture(shape, { role: "img" });
  const field = element("div", { className: "explorer-picture" }, canvas);
  const show = () => { paint(read().ink, 255); canvas.ariaLabel = `Picture: ${described(read())}.`; };
  return { field, show };
}
