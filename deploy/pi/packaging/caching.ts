// Run by the Node of a package when that is built: writes what V8 made of the program's files, as JSON.
// Arguments: the program, where to write, the folder where it will be installed, and the program's own.
import { readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
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
// The daemon, which no run of the program here gets to.
const parts = readdirSync(dirname(program)).filter((file) => /^(run|daemon)-\w+\.cjs$/.test(file))
for (const part of parts) load(join(dirname(program), part))
