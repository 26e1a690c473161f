// The generator: loaded once, and run off the page's own thread, so that the page stays responsive.

import { arriving, FetchError, fetchBytes } from "./fetching.js";

const MAGIC = [0x00, 0x61, 0x73, 0x6d]; // first bytes of WebAssembly
const VERSION = [0x08]; // first field of a model

let ort;
let session;

/** Load runtime and generator; messages without an id count the bytes so far. */
async function load({ threads, digest }) {
  if (typeof WebAssembly === "undefined") throw new Error("WebAssembly is not supported");
  let total = 0;
  const arrived = (bytes) => postMessage({ loaded: (total += bytes) });
  const at = (path) => new URL(path, import.meta.url);
  const [runtime, model, library] = await Promise.all([
    fetchBytes("ort-wasm-simd-threaded.wasm", at("ort/ort-wasm-simd-threaded.wasm"), MAGIC, arrived),
    fetchBytes("generator.onnx", at(`generator.onnx?v=${digest}`), VERSION, arrived),
    arriving("ort.wasm.bundle.min.js", import("./ort/ort.wasm.bundle.min.js")),
  ]);
  ort = library;
  ort.env.logLevel = "error";
  ort.env.wasm.wasmBinary = runtime;
  ort.env.wasm.numThreads = threads;
  session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"], logSeverityLevel: 3 });
  ort.env.wasm.wasmBinary = undefined; // 14 MB that are not read again
  return {};
}

function inputsOf({ width, latents, labels, count }) {
  const whole = (values, shape) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), shape);
  const inputs = { latents: new ort.Tensor("float32", latents, [count, latents.length / count]) };
  if (session.inputNames.includes("labels")) inputs.labels = whole(labels, [count]);
  if (session.inputNames.includes("width")) inputs.width = whole([width], []);
  return inputs;
}

/** Turn images (N, C, H, W) in [-1, 1] into RGBA bytes (N, H, W, 4); clamped arrays round to the nearest. */
function toPixels({ data, dims: [count, channels, height, width] }) {
  const area = height * width;
  const planes = channels < 3 ? [0, 0, 0] : [0, 1, 2];
  const pixels = new Uint8ClampedArray(count * area * 4).fill(255);
  for (let image = 0; image < count; image += 1) {
    planes.forEach((plane, colour) => {
      const from = (image * channels + plane) * area;
      const to = image * area * 4 + colour;
      for (let i = 0; i < area; i += 1) pixels[to + 4 * i] = (data[from + i] + 1) * 127.5;
    });
  }
  return pixels;
}

/** Generate images, several times over for a timing, and return their pixels and the milliseconds of one time. */
async function generate({ repeats = 1, ...what }) {
  const inputs = inputsOf(what);
  let images;
  const started = performance.now();
  for (let i = 0; i < repeats; i += 1) ({ images } = await session.run(inputs));
  const milliseconds = (performance.now() - started) / repeats;
  return { milliseconds, pixels: toPixels(images) };
}

/** Return the sentence for an error. */
function sentence(error) {
  if (error instanceof FetchError) return error.message;
  const said = String(error?.message ?? error);
  if (/out of memory|allocat|bad_alloc|memory access/i.test(said)) {
    return "The images do not fit into this browser's memory: reload the page and choose fewer per frame.";
  }
  if (/WebAssembly|simd/i.test(said)) return "This browser cannot run the generator: use a newer one, with WebAssembly SIMD.";
  return `The generator does not run: ${said.split("\n")[0].replace(/\.$/, "")}.`;
}

const calls = { load, generate };

onmessage = async ({ data: { id, call, ...what } }) => {
  try {
    const result = await calls[call](what);
    postMessage({ id, ...result }, result.pixels ? [result.pixels.buffer] : []);
  } catch (error) {
    postMessage({ id, error: sentence(error) });
  }
};
