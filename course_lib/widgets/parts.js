// What the explorers that compute in the browser are made of: elements, controls, pictures, and news for Python.

const bytes = (buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
const signed = (value, digits = 2) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

function button(label, press) {
  const made = focusable("button", { type: "button" }, label);
  made.addEventListener("click", press);
  return made;
}

function choice(label, options, change) {
  const list = focusable("select", {}, ...options.map((option, i) => element("option", { value: i }, option)));
  list.addEventListener("change", () => change(Number(list.value)));
  const field = element("div", { className: "explorer-field" }, element("label", {}, label, list));
  return { field, show: (i) => { list.value = i; } };
}

// A picture of pixels from 0 (paper, white) to `full` (ink, black); what is not seen is orange.
function pixelPicture([height, width], properties = {}) {
  const canvas = element("canvas", { width, height, className: "explorer-pixels", ...properties });
  const context = canvas.getContext("2d"), data = context.createImageData(width, height);
  const colours = new Uint32Array(data.data.buffer); // alpha, blue, green, red
  function paint(values, full, seen) {
    for (let d = 0; d < colours.length; d += 1) {
      const grey = Math.round(255 * (1 - values[d] / full));
      colours[d] = seen && !seen[d] ? 0xff009fe6 : 0xff000000 | (grey * 0x010101);
    }
    context.putImageData(data, 0, 0);
  }
  return { canvas, paint };
}

// One of several things, each with a small picture (or none): radio buttons, so that arrow keys go from one to the next.
function gallery({ label, names, shape }, choose) {
  const name = `gallery-${Math.random().toString(36).slice(2)}`;
  const items = names.map((text, i) => {
    const radio = focusable("input", { type: "radio", name, value: i, ariaLabel: `${label} ${text}` });
    radio.addEventListener("change", () => choose(i));
    const picture = shape && pixelPicture(shape, { ariaHidden: "true" });
    return { radio, picture, field: element("label", {}, radio, ...(picture ? [picture.canvas] : []), text) };
  });
  const field = element("div", { className: "explorer-gallery", role: "radiogroup", ariaLabel: label },
    element("span", { ariaHidden: "true" }, label), ...items.map((item) => item.field));
  const show = (i) => items.forEach(({ radio }, k) => { radio.checked = k === i; });
  return { field, pictures: items.map((item) => item.picture), show };
}

// Python is told of changes at most ten times a second; if nobody there listens, once the hand rests.
function teller(model) {
  let timer = 0;
  return () => {
    const listening = model.get("listening");
    if (timer && listening) return;
    clearTimeout(timer);
    timer = setTimeout(() => { timer = 0; model.save_changes(); }, listening ? 100 : 300);
  };
}

// The frame of an explorer: its title, its parts, and a place where an exception of Python's is shown.
function frame(model, el, ...parts) {
  const title = model.get("face").title;
  const error = element("div", { className: "explorer-error", role: "alert", hidden: true });
  const root = element("div", { className: "explorer explorer-live", role: "group", ariaLabel: title },
    element("div", { className: "explorer-title" }, title), element("div", { className: "explorer-parts" }, ...parts), error);
  root.dataset.lmSuppressShortcuts = "true";
  el.append(root);
  return () => {
    if (error.textContent !== model.get("error")) error.textContent = model.get("error");
    error.hidden = !error.textContent;
  };
}
