// navigator.usb over the virtual phone. Keeps USB's rules: a transfer to the computer ends with a short packet or when
// it is full, and a packet that does not fit is an error; a transfer to the phone ends with a short or an empty packet.
// The bytes go through the functions `phone_*`, which the test exposes.
(() => {
  const PACKET = 512;
  const toBase64 = (bytes) => { let text = ""; for (const byte of bytes) text += String.fromCharCode(byte); return btoa(text); };
  const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const join = (a, b) => { const all = new Uint8Array(a.length + b.length); all.set(a); all.set(b, a.length); return all; };
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const bus = { plugged: [], granted: new Set(), forgotten: 0, offer: true, blocked: false, serial: "DEMO1", errors: {}, sent: 0 };

  class Device {
    constructor(serial) {
      Object.assign(this, { serialNumber: serial, vendorId: 0x18d1, productId: 0x4ee7, productName: "Demo", opened: false, configuration: null });
      const endpoints = [
        { endpointNumber: 1, direction: "in", type: "bulk", packetSize: PACKET },
        { endpointNumber: 2, direction: "out", type: "bulk", packetSize: PACKET },
      ];
      const adb = { alternateSetting: 0, interfaceClass: 255, interfaceSubclass: 66, interfaceProtocol: 1, endpoints };
      const mtp = { alternateSetting: 0, interfaceClass: 6, interfaceSubclass: 1, interfaceProtocol: 1, endpoints: [] };
      this.configurations = [{ configurationValue: 1, interfaces: [{ interfaceNumber: 0, alternates: [mtp] }, { interfaceNumber: 1, alternates: [adb] }] }];
      this.claimed = new Set();
    }
    #fail(what) {
      if (bus.errors[what]) throw new DOMException(`made up: ${what}`, bus.errors[what]);
      if (!bus.plugged.includes(this)) throw new DOMException("The device was disconnected.", what === "open" ? "NotFoundError" : "NetworkError");
    }
    async open() {
      this.#fail("open");
      await phone_open();
      this.session = (this.session ?? 0) + 1;
      Object.assign(this, { opened: true, packets: [], stream: new Uint8Array(0), out: new Uint8Array(0), need: 24, isHead: true, reading: 0 });
    }
    async selectConfiguration(value) { this.configuration = this.configurations[value - 1]; }
    async claimInterface(number) {
      this.#fail("claim");
      if (!this.opened || this.configuration === null) throw new DOMException("not open", "InvalidStateError");
      this.claimed.add(number);
    }
    async releaseInterface(number) { this.#fail("release"); this.claimed.delete(number); }
    async close() { if (this.opened) { this.opened = false; await phone_close(); } }
    async forget() { bus.granted.delete(this); bus.forgotten++; }
    async clearHalt() {}
    #cut(bytes) { // as adbd writes them: the head of a message is one transfer, its body another
      this.stream = join(this.stream, bytes);
      while (this.stream.length >= this.need) {
        const part = this.stream.slice(0, this.need);
        this.stream = this.stream.slice(this.need);
        this.packets.push(part);
        const body = this.isHead ? new DataView(part.buffer).getUint32(12, true) : 0;
        this.isHead = !body;
        this.need = body || 24;
      }
    }
    async transferIn(endpoint, length) {
      if (!this.claimed.has(1) || endpoint !== 1) throw new DOMException("not claimed", "NotFoundError");
      if (this.reading) throw new DOMException("two reads at once", "InvalidStateError");
      this.reading = 1;
      const { session } = this;
      try {
        let all = new Uint8Array(0);
        for (;;) {
          while (!this.packets.length) {
            this.#fail("in");
            if (!this.opened || session !== this.session) throw new DOMException("The transfer was cancelled.", "AbortError");
            const got = await phone_read();
            if (got === null) throw new DOMException("The transfer failed.", "NetworkError");
            if (got) this.#cut(fromBase64(got)); else await pause(4);
          }
          const first = this.packets[0], room = length - all.length, part = first.subarray(0, room);
          if (first.length > room && room % PACKET) throw new DOMException("babble", "NetworkError");
          all = join(all, part);
          if (part.length < first.length) this.packets[0] = first.subarray(part.length); else this.packets.shift();
          if ((part.length === first.length && first.length % PACKET) || all.length === length) break;
        }
        return { status: "ok", data: new DataView(all.buffer) };
      } finally {
        if (session === this.session) this.reading = 0;
      }
    }
    async transferOut(endpoint, data) {
      if (!this.claimed.has(1) || endpoint !== 2) throw new DOMException("not claimed", "NotFoundError");
      this.#fail("out");
      const bytes = new Uint8Array(data.buffer ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) : data);
      this.out = join(this.out, bytes);
      bus.sent += bytes.length;
      if (bytes.length % PACKET || !bytes.length) { // the transfer ends
        const whole = this.out;
        this.out = new Uint8Array(0);
        await phone_write(toBase64(whole));
      }
      return { status: "ok", bytesWritten: bytes.length };
    }
  }

  const usb = {
    async getDevices() { return bus.plugged.filter((device) => bus.granted.has(device)); },
    async requestDevice({ filters }) {
      if (!navigator.userActivation.isActive) throw new DOMException("needs a click", "SecurityError");
      if (filters.length !== 1 || filters[0].classCode !== 255 || filters[0].subclassCode !== 66 || filters[0].protocolCode !== 1) throw new TypeError("filters");
      if (bus.blocked) throw new DOMException("No device selected.", "NotFoundError");
      await pause(400); // a person looks for the phone in the list
      if (!bus.offer || !bus.plugged.length) throw new DOMException("No device selected.", "NotFoundError");
      bus.granted.add(bus.plugged[0]);
      return bus.plugged[0];
    },
  };
  // A phone that is plugged in again is another USBDevice; only a serial number keeps its permission.
  bus.plug = () => {
    const device = new Device(bus.serial);
    if (bus.serial && [...bus.granted].some((old) => old.serialNumber === bus.serial)) bus.granted.add(device);
    bus.plugged = [device];
  };
  bus.unplug = () => { bus.plugged = []; };
  bus.plug();
  window.bus = bus;
  Object.defineProperty(navigator, "usb", { value: usb, configurable: true });

  // A file that the person chose; the content is what a closed stream wrote last.
  const files = {};
  window.keptFiles = files;
  window.showSaveFilePicker = async ({ suggestedName }) => {
    if (!navigator.userActivation.isActive) throw new DOMException("needs a click", "SecurityError");
    if (window.refuseFile) throw new DOMException("The user aborted a request.", "AbortError");
    files[suggestedName] = { content: "", writes: 0 };
    return {
      name: suggestedName,
      async createWritable() {
        if (window.fullDisk) throw new DOMException("disk full", "QuotaExceededError");
        let text = "";
        return {
          async write(bytes) { text += new TextDecoder().decode(bytes); },
          async close() { files[suggestedName].content = text; files[suggestedName].writes++; },
        };
      },
    };
  };
})();
