// Latents of a seed, and walks between them.

const ANCHORS = 6; // latents that a walk goes through before it is back at its first

/** Return a source of numbers in (0, 1) that some whole numbers seed: xorshift (Marsaglia 2003), seeded by hashing. */
export function uniform(...seeds) {
  let state = 0x9e3779b9;
  for (const seed of seeds) {
    state = Math.imul(state ^ (seed >>> 0), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  state ||= 1; // zero would stay zero
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
}

/** Return samples of N(0, 1), by Box and Muller's transform. */
export function normal(size, ...seeds) {
  const next = uniform(...seeds);
  const values = new Float32Array(size);
  for (let i = 0; i < size; i += 1) {
    values[i] = Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  }
  return values;
}

const norm = (values) => Math.hypot(...values);

/** Return the point at a share of the way between two latents: along the sphere, the length going from one to the other. */
export function slerp(from, to, share) {
  const [low, high] = [norm(from), norm(to)];
  const cosine = from.reduce((sum, value, i) => sum + value * to[i], 0) / (low * high);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const length = low + (high - low) * share;
  const sine = Math.sin(angle);
  const weights = sine < 1e-6 ? [1 - share, share] : [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
  return from.map((value, i) => length * ((weights[0] * value) / low + (weights[1] * to[i]) / high));
}

/** A closed walk of several latents at once; at position 0 they are the seed's own. */
export class Walk {
  constructor(seed, size) {
    this.seed = seed;
    this.size = size;
    this.anchors = new Map();
  }

  /** Return the latents of so many images at a position, one after another; a whole number is an anchor. */
  at(position, count) {
    const place = ((position % ANCHORS) + ANCHORS) % ANCHORS;
    const first = Math.floor(place);
    const latents = new Float32Array(count * this.size);
    for (let image = 0; image < count; image += 1) {
      const ends = [first, (first + 1) % ANCHORS].map((anchor) => this.anchor(image, anchor));
      latents.set(place === first ? ends[0] : slerp(ends[0], ends[1], place - first), image * this.size);
    }
    return latents;
  }

  anchor(image, number) {
    const key = image * ANCHORS + number;
    if (!this.anchors.has(key)) this.anchors.set(key, normal(this.size, this.seed, image, number));
    return this.anchors.get(key);
  }
}
