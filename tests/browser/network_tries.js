// Every way out of a page or a worker that a test knows; returns what each said. `navigates`: those that lead to another
// page instead, for which Chromium opens a connection before it asks the policy.
async ([address, navigates]) => {
  const said = {};
  const attempt = async (name, action) => {
    try {
      said[name] = String(await action());
    } catch (error) {
      said[name] = `ERROR ${error.name}`;
    }
  };
  const inPage = typeof document !== "undefined";
  const settle = (target) =>
    new Promise((done, fail) => {
      target.onload = () => done("loaded");
      target.onerror = () => fail(new Error("blocked"));
      setTimeout(done, 1000, "nothing");
    });
  const made = (tag, values, parent) => {
    const node = Object.assign(document.createElement(tag), values);
    parent.append(node);
    return settle(node);
  };
  if (navigates) {
    await attempt("iframe", () => made("iframe", { src: `http://${address}/iframe` }, document.body));
    for (const target of ["_self", "_blank"]) {
      const form = Object.assign(document.createElement("form"), { action: `http://${address}/form`, method: "post", target });
      document.body.append(form);
      await attempt(`form ${target}`, () => form.submit());
    }
    return said;
  }
  // The worker has replaced its own fetch: the browser's is the prototype's.
  const fetchOf = inPage ? window.fetch : Object.getOwnPropertyDescriptor(self, "fetch").value;
  await attempt("fetch", () => fetchOf.call(self, `http://${address}/fetch`));
  await attempt("xhr", () => {
    const request = new XMLHttpRequest();
    request.open("GET", `http://${address}/xhr`);
    request.send();
    return settle(request);
  });
  await attempt("websocket", () => settle(new WebSocket(`ws://${address}/ws`)));
  await attempt("eventsource", () => settle(new EventSource(`http://${address}/es`)));
  await attempt("beacon", () => navigator.sendBeacon?.(`http://${address}/beacon`, "x"));
  await attempt("worker", () => settle(new Worker(`http://${address}/worker.js`)));
  await attempt("import", () => import(`http://${address}/import.js`));
  await attempt("transport", () => new WebTransport(`https://${address}/wt`).ready);
  if (!inPage) {
    await attempt("scripts", () => importScripts(`http://${address}/scripts.js`));
    return said;
  }
  const tags = [["img", "src"], ["script", "src"], ["object", "data"], ["video", "src"], ["embed", "src"]];
  for (const [tag, name] of tags) {
    await attempt(tag, () => made(tag, { [name]: `http://${address}/${tag}` }, document.body));
  }
  for (const rel of ["prefetch", "preload", "stylesheet", "modulepreload", "preconnect", "dns-prefetch", "icon", "manifest"]) {
    await attempt(rel, () => made("link", { rel, href: `http://${address}/${rel}`, as: "script" }, document.head));
  }
  await attempt("style", () => made("style", { textContent: `body { background: url(http://${address}/css) }` }, document.head));
  await attempt("rtc", async () => {
    const turn = { urls: `turn:${address}?transport=tcp`, username: "x", credential: "x" };
    const peer = new RTCPeerConnection({ iceServers: [{ urls: `stun:${address}` }, turn] });
    peer.createDataChannel("x");
    await peer.setLocalDescription(await peer.createOffer());
    await new Promise((done) => setTimeout(done, 1500));
  });
  return said;
}
