// Run by the Node of a package when that is built: writes what V8 made of the program's files, as JSON.
// Arguments: the program, where to write, the folder where it will be installed, and the program's own.
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Script } from 'node:vm'
import { loadCached } from './parts.ts'

const [program = '', into = '', installed = ''] = process.argv.splice(2, 3)
const scripts = new Map<string, Script>()
const load = loadCached({
  compiled: (file, script) => scripts.set(file, script),
  nameOf: (file) => join(installed, basename(file)),
})
process.on('exit', () => {
  const made = [...scripts].map(([file, script]) => ({
    file,
    data: script.createCachedData().toString('base64'),
  }))
  writeFileSync(into, JSON.stringify(made))
})
load(program)
