// Fetching of the page's files, and errors where one is missing.

/** An error that the visitor, or the page's host, can mend; the message is a whole sentence. */
export class FetchError extends Error {}

const AGAIN = "copy the whole folder to the server again, and reload the page";

/** Return what a promise gives; a network that fails, at first or on the way, is told with the file's name. */
export async function arriving(name, promise) {
  try {
    return await promise;
  } catch {
    throw new FetchError(`${name} did not arrive: check the connection to the server, and reload the page.`);
  }
}

/** Fetch a file; servers that answer with a page of their own (a login, the front page) are told. */
export async function fetchFile(name, url, options = {}) {
  const response = await arriving(name, fetch(url, options));
  if (!response.ok) throw new FetchError(`${name} is missing on this server (${response.status}): ${AGAIN}.`);
  if (/html/.test(response.headers.get("Content-Type") ?? "")) throw wrong(name);
  return response;
}

export const wrong = (name) => new FetchError(`${name} holds something else on this server: log in there, or ${AGAIN}.`);

export async function fetchJSON(name, options) {
  const text = await arriving(name, (await fetchFile(name, name, options)).text());
  try {
    return JSON.parse(text);
  } catch {
    throw wrong(name);
  }
}

/** Fetch a file whole that begins with certain bytes, telling how many have come. */
export async function fetchBytes(name, url, begin, arrived) {
  const response = await fetchFile(name, url);
  const chunks = [];
  let size = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await arriving(name, reader.read());
    if (done) break;
    chunks.push(value);
    size += value.length;
    arrived(value.length);
  }
  const bytes = new Uint8Array(size);
  let place = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, place);
    place += chunk.length;
  }
  if (begin.some((byte, i) => bytes[i] !== byte)) throw wrong(name);
  return bytes;
}
