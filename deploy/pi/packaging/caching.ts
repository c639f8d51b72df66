// Run by the Node of a package when that is built: writes what V8 made of the program's files, as JSON, when the program
// ends, or as soon as the daemon is ready. Arguments: the program, where to write, the folder where it will be
// installed, and the program's own.
import { writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Script } from 'node:vm'
import { partsIn } from './parts.ts'

const [program = '', into = '', installed = ''] = process.argv.splice(2, 3)
const scripts = new Map<string, Script>()
const load = partsIn(dirname(program), {
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
const { stderr } = process
const write = stderr.write.bind(stderr)
stderr.write = (text: string | Uint8Array) => {
  const written = write(text)
  // What it does from now on, it does again and again.
  if (/^(?:<\d>)?ready$/m.test(`${text}`)) process.exit(0)
  return written
}
load(`./${basename(program)}`)
