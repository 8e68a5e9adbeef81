// Runs Python. It gets all that it needs from the page, and asks the page for the cable and for the ledger.

let handle = null;
let lastCall = 0;
const calls = new Map();

// Asks the page to do something; Python waits for the promise.
function callPage(method, ...args) {
  return new Promise((done, fail) => {
    calls.set(++lastCall, { done, fail });
    self.postMessage({ call: lastCall, method, args });
  });
}

async function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const blobUrl = (bytes) => URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));

async function start(parts) {
  // The package is unpacked while Pyodide starts.
  const { "app.zip": packedApp, ...packed } = parts;
  const app = gunzip(packedApp);
  const files = {};
  await Promise.all(Object.entries(packed).map(async ([name, bytes]) => { files[name] = await gunzip(bytes); }));
  const { loadPyodide } = await import(blobUrl(files["pyodide.mjs"]));
  const { default: createPyodideModule } = await import(blobUrl(files["pyodide.asm.mjs"]));
  // Pyodide fetches two files. There is no network: it gets them from here.
  const types = { "pyodide.asm.wasm": "application/wasm", "python_stdlib.zip": "application/zip" };
  self.fetch = async (address) => {
    const name = String(address.url ?? address).split("/").pop();
    if (!(name in types)) throw new TypeError("no network");
    return new Response(files[name], { headers: { "content-type": types[name] } });
  };
  const lockFileContents = new TextDecoder().decode(files["pyodide-lock.json"]);
  const python = await loadPyodide({ indexURL: "blob:none/", createPyodideModule, lockFileContents });
  python.unpackArchive(await app, "zip", { extractDir: "/app" });
  for (const name of Object.keys(files)) delete files[name];
  const open = python.runPython(`
import gc, sys
gc.set_threshold(100_000)
sys.path.insert(0, "/app")
sys.dont_write_bytecode = True
from privaudit.browser.worker_host import open_session
open_session
`);
  handle = open(
    (kind, text) => self.postMessage({ tell: kind, text }),
    {
      open: () => callPage("open"),
      receive: (size, timeout) => callPage("receive", size, timeout),
      send: (data, timeout) => callPage("send", data, timeout),
      close: () => callPage("close"),
    },
    (data) => callPage("keep", data),
  );
}

// One request at a time: Python is one session.
let queue = Promise.resolve();

async function answer({ id, name, args, bytes }) {
  // Only a promising call can wait for the cable. Without JSPI everything else works.
  const call = "Suspending" in WebAssembly ? handle.callPromising.bind(handle) : handle;
  const result = await call(name, args, bytes);
  const json = result.get(0);
  const data = result.get(1);
  const file = data?.toJs();
  data?.destroy();
  result.destroy();
  self.postMessage({ id, json, file }, file ? [file.buffer] : []);
}

self.onmessage = async ({ data }) => {
  if (data.reply !== undefined) {
    const { done, fail } = calls.get(data.reply);
    calls.delete(data.reply);
    if (data.error) fail(new DOMException(data.error.message, data.error.name));
    else done(data.value);
    return;
  }
  if (data.start) {
    try {
      await start(data.start);
      self.postMessage({ ready: true });
    } catch (error) {
      self.postMessage({ ready: false, why: String(error?.message ?? error) });
    }
    return;
  }
  queue = queue.then(() => answer(data)).catch((error) => self.postMessage({ id: data.id, crash: String(error?.message ?? error) }));
};
