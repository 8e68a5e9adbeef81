// Where the ledger of changes is kept while they are made: in a file that is written anew after each change, else in the
// browser's own storage until it is saved at the end.

const DATABASE = "privaudit";
const STORE = "ledgers";

function settled(request) {
  return new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
}

async function openDatabase() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return settled(request);
}

// Returns once the change is on the disk, as far as the browser says so.
async function changeStore(change) {
  const database = await openDatabase();
  try {
    const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
    change(transaction.objectStore(STORE));
    await new Promise((done, fail) => {
      transaction.oncomplete = done;
      transaction.onabort = transaction.onerror = () => fail(transaction.error);
    });
  } finally {
    database.close();
  }
}

// The ledgers that an interrupted visit left behind: [name, bytes] each.
export async function leftLedgers() {
  try {
    const database = await openDatabase();
    try {
      const store = database.transaction(STORE).objectStore(STORE);
      const [names, contents] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
      return names.map((name, index) => [name, contents[index]]);
    } finally {
      database.close();
    }
  } catch {
    return [];
  }
}

export async function forgetLedgers() {
  try {
    await changeStore((store) => store.clear());
  } catch {
    // there was no storage, so there is nothing in it
  }
}

// Asks where to keep the ledger, on a click. Returns null if the person cancels; throws where nothing can keep it.
export async function openLedger(name) {
  if ("showSaveFilePicker" in window) {
    try {
      const types = [{ accept: { "application/json": [".json"] } }];
      const file = await window.showSaveFilePicker({ suggestedName: name, startIn: "downloads", types });
      return {
        name: file.name,
        inFile: true,
        async write(bytes) {
          const stream = await file.createWritable();
          await stream.write(bytes);
          await stream.close(); // only now does the file have the new content, and all of it
        },
      };
    } catch (error) {
      if (error.name === "AbortError") return null;
    }
  }
  await changeStore((store) => store.put(new Uint8Array(0), name)); // throws where there is no storage
  let last = new Uint8Array(0);
  return {
    name,
    inFile: false,
    async write(bytes) {
      await changeStore((store) => store.put(bytes, name));
      last = bytes;
    },
    content: () => last,
  };
}
