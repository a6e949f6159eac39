// A backend in miniature: takes tecnico's callbacks, refuses what is not signed, takes each event once.
//
//     node receiver.mjs KEY_FILE [PORT]
//
// Node's own modules only. Copy `verify`; the rest shows where it goes.

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const TOLERANCE = 5 * 60; // seconds a delivery may be old; both clocks have to be right
const LARGEST = 1024 * 1024;

/** The keys of a file with one `whsec_…` a line. Several are in force while they are changed. */
function readKeys(path) {
  const lines = readFileSync(path, "ascii").split("\n").map((line) => line.trim());
  return lines.filter((line) => line.startsWith("whsec_")).map((line) => Buffer.from(line.slice(6), "base64"));
}

/** The event's id, where the signature is good; otherwise null. `body` is the bytes as they came. */
function verify(keys, headers, body) {
  const id = headers["webhook-id"] ?? "";
  const sentAt = headers["webhook-timestamp"] ?? "";
  if (!/^[0-9]+$/.test(sentAt) || Math.abs(Date.now() / 1000 - Number(sentAt)) > TOLERANCE) return null;
  // One signature for each key tecnico knows.
  const given = (headers["webhook-signature"] ?? "").split(" ").map((signature) => Buffer.from(signature));
  const good = keys.some((key) => {
    const digest = createHmac("sha256", key).update(`${id}.${sentAt}.`).update(body).digest("base64");
    const wanted = Buffer.from(`v1,${digest}`);
    return given.some((signature) => signature.length === wanted.length && timingSafeEqual(signature, wanted));
  });
  return good ? id : null;
}

/** Names in an event are a technician's own words: what would move a cursor or turn a line round is written out. */
function visible(text) {
  return JSON.stringify(text).replace(/\p{C}/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

function end(why) {
  console.error(why);
  process.exit(1);
}

const [path, port = "8000", ...more] = process.argv.slice(2);
if (path === undefined || more.length > 0 || !/^[0-9]+$/.test(port)) end("usage: node receiver.mjs KEY_FILE [PORT]");
let keys = [];
try {
  keys = readKeys(path);
} catch (fault) {
  end(`${path}: ${fault.message}`);
}
if (keys.length === 0) end(`no key in ${path}: a line of it begins with whsec_`);
const taken = new Set(); // in a real backend: a table with the event's id as its key

const server = createServer(async (request, response) => {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LARGEST) return response.writeHead(413).end();
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const id = verify(keys, request.headers, body);
  if (id === null) return response.writeHead(401).end();
  // Answered 2xx again, or tecnico would send it again.
  if (!taken.has(id)) {
    const event = JSON.parse(body);
    const told = [request.url, event.user_id, event.job_id, event.status, event.result.message];
    console.log(id, ...told.map(visible));
    taken.add(id);
  }
  response.writeHead(204).end();
});

server.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
