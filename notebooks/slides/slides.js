// Lays a notebook's cells out on pages of 1280 x 720; a slide that is too long goes on, on the next page.
const WIDTH = 1168, BOTTOM = 680;  // px: the width of a page's content, and the line that nothing may cross
const SIZES = [26, 24, 22, 20];  // px of running text
const GROW = 1.45, SHRINK = 0.75;  // how far a figure may leave its own size: its labels grow and shrink with it

let heading = "";  // the last one before the slide that is being laid out
const slides = document.querySelector(".slides");
const make = (tag, className, text = "") => Object.assign(document.createElement(tag), {className, textContent: text});

// What a cell shows, one element a block: a picture comes before the code that made it.
function blocksOf(cell) {
  if (cell.matches(".jp-MarkdownCell")) return [...cell.querySelector(".jp-RenderedMarkdown").children];
  const code = cell.querySelector(".highlight");
  const outputs = [...cell.querySelectorAll(".jp-OutputArea-output")].flatMap(shown);
  if (cell.matches(".celltag_exercise")) return [code];
  if (/^\s*(bets|explorers)\.\w+\(\)\s*$/.test(code.textContent)) return outputs;
  if (!cell.querySelector("img, table")) return [code, ...outputs];
  const folded = make("details", "code");
  folded.append(make("summary", "", "code"), code);
  outputs[0].append(folded);
  return outputs;
}

function shown(output) {
  output.querySelector(":scope > pre")?.classList.add("printed");
  for (const picture of output.querySelectorAll(":scope > img")) {
    picture.replaceWith(make("figure", ""));
    output.querySelector(":scope > figure:empty").append(picture);
  }
  return [...output.children].filter(child => !child.matches("style, script"));
}

// The blocks of one slide; what is uncovered later knows its place in the order.
function collect(section) {
  const cells = [...section.querySelectorAll(".jp-Cell")].filter(cell => !cell.closest("aside"));
  return cells.flatMap((cell, index) => {
    const blocks = blocksOf(cell);
    if (cell.closest(".fragment")) blocks.forEach(block => { block.dataset.fragmentIndex = index; });
    return blocks;
  });
}

const below = (page, part) => part.getBoundingClientRect().bottom - page.getBoundingClientRect().top;
const used = page => below(page, page.lastElementChild);
const fits = page => used(page) <= BOTTOM;
const content = page => [...page.children].filter(part => !part.matches(".running"));
const pictureIn = block => block.querySelector(":scope > img");
const heads = block => block.matches("h1, h2, h3");
const widest = picture => Math.min(GROW, WIDTH / picture.dataset.width);

function resize(picture, scale) {
  picture.dataset.scale = scale;
  picture.style.width = `${scale * picture.dataset.width}px`;
}

// Gives the last picture of a page the height that is left, or takes what is too much, within the bounds.
function adapt(page) {
  const picture = [...page.children].map(pictureIn).filter(Boolean).at(-1);
  if (!picture) return;
  const scale = Number(picture.dataset.scale) + (BOTTOM - used(page)) / picture.dataset.height;
  resize(picture, Math.max(SHRINK, Math.min(scale, widest(picture))));
}

function narrow(block) {
  for (const formula of block.querySelectorAll("mjx-container[display='true']")) {
    const width = formula.querySelector("svg").getBoundingClientRect().width;
    if (width > WIDTH) formula.style.fontSize = `${100 * Math.max(SHRINK, WIDTH / width)}%`;
  }
}

// Takes from a list or a table the rows that do not fit, and returns them; null where there is nothing to take.
function split(block, page) {
  const list = part => part.matches("ul, ol") ? part : part.querySelector(":scope > tbody");
  const rows = [...list(block)?.children ?? []];
  let kept = rows.filter(row => below(page, row) <= BOTTOM).length;
  if (kept === 0 || kept === rows.length) return null;
  const rest = block.cloneNode(true);
  rest.querySelectorAll(":scope > caption, :scope > details").forEach(part => part.remove());
  rows.slice(kept).forEach(row => row.remove());
  while (kept > 1 && !fits(page)) rows[kept -= 1].remove();  // a table's columns change with its rows
  list(rest).replaceChildren(...rows.slice(kept));
  if (rest.matches("ol")) rest.start = block.start + kept;
  return rest;
}

function turn(size, title) {
  const page = slides.appendChild(make("section", "page"));
  page.style.fontSize = `${size}px`;
  page.append(make("p", "running", title));
  return page;
}

// Blocks to pages in one size of type. What does not fit on a page of its own stays there.
function lay(blocks, size) {
  const waiting = blocks.map(block => block.cloneNode(true)), pages = [turn(size, heading)];
  let title = heading;
  while (waiting.length) {
    const page = pages.at(-1), block = waiting.shift();
    page.append(block);
    if (heads(block)) title = block.textContent;
    if (heads(content(page)[0])) page.querySelector(".running")?.remove();
    narrow(block);
    if (pictureIn(block)) resize(pictureIn(block), Math.min(1, widest(pictureIn(block))));
    if (!fits(page) && content(page).filter(part => !heads(part)).length < 2) adapt(page);
    if (fits(page)) continue;
    const rest = split(block, page);
    if (rest) waiting.unshift(rest);
    else goOn(page, waiting);
    if (waiting.length) pages.push(turn(size, title));
  }
  pages.forEach(adapt);
  return pages;
}

// Moves the last block to the next page, with its headings, unless nothing would be left.
function goOn(page, waiting) {
  const blocks = content(page);
  let kept = blocks.length - 1;
  while (kept > 0 && heads(blocks[kept - 1])) kept -= 1;
  if (kept > 0) waiting.unshift(...blocks.slice(kept));
}

// The pages of one slide: as few as the smallest type needs, in the largest type that needs no more.
function paginate(section) {
  const blocks = collect(section), notes = section.querySelector("aside.notes");
  const shortest = lay(blocks, SIZES.at(-1));
  let chosen = shortest;
  for (const size of SIZES.slice(0, -1)) {
    const tried = lay(blocks, size);
    if (tried.length === shortest.length) chosen = tried;
    (chosen === tried ? shortest : tried).forEach(page => page.remove());
    if (chosen === tried) break;
  }
  heading = blocks.findLast(heads)?.textContent ?? heading;
  chosen.forEach(uncover);
  if (notes) chosen[0].append(notes);
  return chosen;
}

// Only what comes after a page's first cell is uncovered step by step.
function uncover(page) {
  const blocks = content(page);
  page.querySelectorAll("details.code").forEach((folded, i) => { folded.style.left = `${56 + 90 * i}px`; });
  for (const block of blocks) {
    const later = block.dataset.fragmentIndex && block.dataset.fragmentIndex !== blocks[0].dataset.fragmentIndex;
    block.classList.toggle("fragment", Boolean(later));
  }
}

// Each picture is decoded once, for all its copies.
async function load(image) {
  image.src = URL.createObjectURL(await (await fetch(image.src)).blob());
  await image.decode();
  Object.assign(image.dataset, {width: image.naturalWidth, height: image.naturalHeight});
}

async function start() {
  document.body.className = "laying";
  await Promise.all([MathJax.startup.promise, ...[...document.images].map(load)]);
  await MathJax.typesetPromise();
  document.body.className = "paging";
  for (const stack of [...slides.children]) stack.replaceChildren(...[...stack.children].flatMap(paginate));
  document.body.className = "";
  await Reveal.initialize({
    width: 1280, height: 720, margin: 0, center: false, controls: false, hash: true, navigationMode: "linear",
    pdfSeparateFragments: false, plugins: [RevealNotes], slideNumber: "c/t", transition: "none",
  });
  document.body.dataset.ready = "";
}

start();
