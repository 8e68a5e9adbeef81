// Compiles the Python files of a folder with the Python that will run them: node compile.mjs PYODIDE FOLDER
// Each NAME.py becomes NAME.pyc, whose names of files do not depend on where the folder is.
import { pathToFileURL } from "node:url";

const [pyodide, folder] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`).href);
const python = await loadPyodide({ indexURL: `${pyodide}/` });
python.mountNodeFS("/source", folder);
const count = python.runPython(`
import os, pathlib, py_compile, sys
sys.dont_write_bytecode = True
files = sorted(pathlib.Path("/source").rglob("*.py"))
for file in files:
    name = file.relative_to("/source").as_posix()
    py_compile.compile(
        str(file), f"{file}c", dfile=name, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    file.unlink()
len(files)
`);
console.log(count);
