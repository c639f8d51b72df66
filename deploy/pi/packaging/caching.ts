// Run by the Node of a package when that is built: writes what V8 made of the program's files, as JSON, when the program
// ends, or when the daemon is ready and has read its files. Arguments: the program, where to write, the folder where it
// will be installed, and the program's own.
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
  if (/^(?:<\d>)?ready$/m.test(`${text}`)) endWhenQuiet()
  return written
}

/** Files of jobs are looked at beside the rest, before or after it is ready: then what is compiled would differ. */
function endWhenQuiet(): void {
  const looks = 10
  let quiet = 0
  setInterval(() => {
    quiet = process.getActiveResourcesInfo().some((each) => each.startsWith('FSReq'))
      ? 0
      : quiet + 1
    if (quiet === looks) process.exit(0)
  }, 20)
}

load(`./${basename(program)}`)
