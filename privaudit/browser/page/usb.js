// One phone on a cable, over WebUSB. Knows USB's packets and nothing of ADB: Python speaks that.

const ADB = { classCode: 0xff, subclassCode: 0x42, protocolCode: 1 };

const delay = (ms) => new Promise((done) => setTimeout(done, ms, "late"));

function adbInterface(device) {
  for (const configuration of device.configurations) {
    for (const { interfaceNumber, alternates } of configuration.interfaces) {
      for (const alternate of alternates) {
        if (
          alternate.interfaceClass === ADB.classCode &&
          alternate.interfaceSubclass === ADB.subclassCode &&
          alternate.interfaceProtocol === ADB.protocolCode
        ) {
          const input = alternate.endpoints.find((endpoint) => endpoint.direction === "in");
          const output = alternate.endpoints.find((endpoint) => endpoint.direction === "out");
          if (input && output) return { configuration: configuration.configurationValue, interfaceNumber, alternate, input, output };
        }
      }
    }
  }
  return null;
}

// Lets the owner choose a phone in the browser's list. Needs a click; rejects with NotFoundError where none is chosen.
export async function choosePhone() {
  const device = await navigator.usb.requestDevice({ filters: [ADB] });
  return new UsbLine(device);
}

export class UsbLine {
  #chosen;
  #device = null;
  #at = null;
  #pending = null;
  #rest = new Uint8Array(0);

  constructor(device) {
    this.#chosen = device;
  }

  // A phone that dropped off the bus comes back as another USBDevice, so it is looked for each time.
  async #find() {
    const devices = await navigator.usb.getDevices();
    const isChosen = (device) =>
      device === this.#chosen ||
      (device.vendorId === this.#chosen.vendorId &&
        device.productId === this.#chosen.productId &&
        device.serialNumber === this.#chosen.serialNumber);
    // Which ADB interface it has may have changed with its USB mode, and with it the product id.
    return (
      devices.find((device) => device === this.#chosen && adbInterface(device)) ??
      devices.find((device) => isChosen(device) && adbInterface(device)) ??
      devices.find((device) => device.serialNumber && device.serialNumber === this.#chosen.serialNumber && adbInterface(device))
    );
  }

  async isThere() {
    return Boolean(await this.#find());
  }

  async open() {
    const device = await this.#find();
    if (!device) throw new DOMException("no such phone", "NotFoundError");
    this.#device = this.#chosen = device;
    this.#at = adbInterface(device);
    this.#pending = null;
    this.#rest = new Uint8Array(0);
    if (!device.opened) await device.open();
    if (device.configuration === null) await device.selectConfiguration(this.#at.configuration);
    await device.claimInterface(this.#at.interfaceNumber);
    if (this.#at.alternate.alternateSetting !== 0) {
      await device.selectAlternateInterface(this.#at.interfaceNumber, this.#at.alternate.alternateSetting);
    }
  }

  // At most `size` bytes; undefined if none came in `timeout` ms. That read stays under way: WebUSB cannot end one.
  async receive(size, timeout) {
    if (!this.#rest.length) {
      // Whole packets: a packet that is longer than the rest of a read is an error. Not more of them than are wanted:
      // a longer read would wait for the packet after.
      const { packetSize, endpointNumber } = this.#at.input;
      this.#pending ??= this.#device.transferIn(endpointNumber, Math.ceil(size / packetSize) * packetSize);
      this.#pending.catch(() => {}); // it may fail while nobody waits; the next read gets the same promise
      const result = await Promise.race([this.#pending, delay(timeout)]);
      if (result === "late") return undefined;
      this.#pending = null;
      if (result.status !== "ok") {
        if (result.status === "stall") await this.#device.clearHalt("in", endpointNumber);
        throw new DOMException(result.status, "NetworkError");
      }
      this.#rest = new Uint8Array(result.data.buffer, result.data.byteOffset, result.data.byteLength);
      if (!this.#rest.length) return undefined;
    }
    const given = this.#rest.slice(0, size);
    this.#rest = this.#rest.subarray(given.length);
    return given;
  }

  async send(data, timeout) {
    const { packetSize, endpointNumber } = this.#at.output;
    const sending = (async () => {
      await this.#device.transferOut(endpointNumber, data);
      // Without an empty packet adbd cannot tell where this transfer ends, and waits (AOSP usb_write).
      if (data.length && data.length % packetSize === 0) await this.#device.transferOut(endpointNumber, new Uint8Array(0));
      return true;
    })();
    sending.catch(() => {});
    return (await Promise.race([sending, delay(timeout)])) === true;
  }

  async close() {
    const device = this.#device;
    this.#device = null;
    if (!device) return;
    try {
      await device.releaseInterface(this.#at.interfaceNumber);
    } catch {
      // the phone is gone: there is nothing to release
    }
    await device.close();
  }

  // Takes back the permission for this phone.
  async forget() {
    try {
      await this.close();
    } catch {
      // the phone is gone
    }
    await this.#chosen.forget();
  }
}
