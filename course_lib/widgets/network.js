// A decoder computed in the browser: its forward pass, and the posterior of a picture on a grid of the latent plane.

// The error function to 1.5e-7 (Abramowitz and Stegun 1964, formula 7.1.26).
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const ACTIVATIONS = {
  identity: (x) => x,
  relu: (x) => (x > 0 ? x : 0),
  tanh: Math.tanh,
  gelu: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  sigmoid,
  softplus,
  silu: (x) => x * sigmoid(x),
};

// y = activation(W x + b); four sums at a time, which is half again as fast as one.
function linear({ inputs, outputs, activation, W, b }) {
  const y = new Float32Array(outputs), act = ACTIVATIONS[activation], fours = inputs - (inputs % 4);
  return (x) => {
    for (let i = 0, p = 0; i < outputs; i += 1) {
      let s0 = b[i], s1 = 0, s2 = 0, s3 = 0, j = 0;
      for (; j < fours; j += 4, p += 4) {
        s0 += W[p] * x[j];
        s1 += W[p + 1] * x[j + 1];
        s2 += W[p + 2] * x[j + 2];
        s3 += W[p + 3] * x[j + 3];
      }
      for (; j < inputs; j += 1, p += 1) s0 += W[p] * x[j];
      y[i] = act(s0 + s1 + s2 + s3);
    }
    return y;
  };
}

// x -> the last layer's output, in an array that the next call overwrites.
// `numbers` are the floats of W, then b, layer after layer; or whole numbers, to be multiplied by the layer's `unit`.
function network(layers, numbers) {
  let begin = 0;
  const take = (count, unit = 1) => Float32Array.from(numbers.subarray(begin, (begin += count)), (n) => n * unit);
  const steps = layers.map((layer) => {
    const W = take(layer.inputs * layer.outputs, layer.unit), b = take(layer.outputs, layer.unit);
    return linear({ ...layer, W, b });
  });
  return (x) => steps.reduce((h, step) => step(h), x);
}

// log p(x | z) of the seen pixels: the sum of x * logit - softplus(logit).
function logLikelihood(logits, image, seen) {
  let sum = 0;
  for (let d = 0; d < image.length; d += 1) if (seen[d]) sum += image[d] * logits[d] - softplus(logits[d]);
  return sum;
}

const logPrior = (z) => z.reduce((sum, value) => sum - 0.5 * value * value - 0.5 * Math.log(2 * Math.PI), 0);

// The midpoint rule on [-limit, limit]^2: `points` are the centres of cells x cells squares, the second coordinate
// running faster; a posterior is one product of the table of logits with the picture.
function latentGrid(cells, limit, pixels) {
  const width = (2 * limit) / cells, axis = Array.from({ length: cells }, (_, i) => -limit + width * (i + 0.5));
  const points = axis.flatMap((first) => axis.map((second) => [first, second])), m = points.length;
  const base = Float64Array.from(points, (point) => logPrior(point) + 2 * Math.log(width));
  const table = new Float32Array(pixels * m); // a row for each pixel: blank ones cost nothing
  const normaliser = new Float64Array(m); // the sum of softplus(logit) over the pixels in `counted`
  const counted = new Uint8Array(pixels).fill(1);

  function put(j, logits) {
    normaliser[j] = 0;
    for (let d = 0; d < pixels; d += 1) {
      table[d * m + j] = logits[d];
      if (counted[d]) normaliser[j] += softplus(logits[d]);
    }
  }
  function count(seen) {
    for (let d = 0; d < pixels; d += 1) {
      if (seen[d] === counted[d]) continue;
      const sign = seen[d] ? 1 : -1;
      for (let j = 0; j < m; j += 1) normaliser[j] += sign * softplus(table[d * m + j]);
      counted[d] = seen[d];
    }
  }
  // log p(x, z) + log(area of a cell) for each point, their largest, and log p(x), the log of their sum.
  function posterior(image, seen) {
    count(seen);
    const joint = base.map((value, j) => value - normaliser[j]);
    for (let d = 0; d < pixels; d += 1) {
      if (!image[d] || !seen[d]) continue;
      for (let j = 0, p = d * m; j < m; j += 1, p += 1) joint[j] += image[d] * table[p];
    }
    const best = joint.reduce((at, value, j) => (value > joint[at] ? j : at), 0), peak = joint[best];
    return { joint, peak, best: points[best], evidence: peak + Math.log(joint.reduce((s, v) => s + Math.exp(v - peak), 0)) };
  }
  return { points, put, posterior, width };
}

// Uphill from `start` in eight directions, with steps that are halved until they are `least` long.
function climb(logDensity, start, step, least, limit) {
  let at = start, height = logDensity(at);
  while (step > least) {
    const around = [-step, 0, step].flatMap((dx) => [-step, 0, step].map((dy) => [at[0] + dx, at[1] + dy]))
      .filter((point) => Math.max(...point.map(Math.abs)) <= limit);
    const heights = around.map(logDensity), top = Math.max(...heights);
    if (top > height) [at, height] = [around[heights.indexOf(top)], top];
    else step /= 2;
  }
  return at;
}

// Calls work(0), ..., work(count - 1) in slices of 8 ms, between which the page answers the hand; returns how to stop.
// (An idle callback that asks for another one gets it 50 ms later: five times slower.)
function inSlices(count, work, done) {
  let i = 0, timer = setTimeout(slice);
  function slice() {
    const end = performance.now() + 8;
    while (i < count && performance.now() < end) work(i++);
    if (i < count) timer = setTimeout(slice);
    else done();
  }
  return () => clearTimeout(timer);
}
