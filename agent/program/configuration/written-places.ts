// Where the daemon of a configuration is, read off the file without what reads YAML and checks it: that is most of the
// work of a command that then only asks the daemon. It is a guess: whoever takes it asks the daemon there which file it
// has, and reads the configuration where the answer is another one, or none.
import { readFileSync } from 'node:fs'
import { defined } from '../../../protocol/index.ts'
import { pathsOf } from './paths.ts'
import { type PlacesConfig, variables } from './places.ts'

/** Undefined where only who reads YAML can say it. */
export function writtenPlaces(
  file: string,
  environment: NodeJS.ProcessEnv = process.env,
): PlacesConfig | undefined {
  const text = hasOverrides(environment) ? undefined : read(file)
  const settings = settingsIn(text ?? '')
  if (settings.length === 0 || !settings.every(isPlain)) return
  const written = settings.flatMap(placeIn)
  const places = new Map(written)
  if (places.size < written.length || written.some(([, path]) => path === undefined)) return
  const at = pathsOf(file, environment)
  const placeOf = (name: Place) => {
    const path = places.get(name)
    return path === undefined ? undefined : at(path)
  }
  return {
    control: defined({ socket: placeOf('socket') }),
    ...defined({ state: placeOf('state') }),
  }
}

type Place = 'state' | 'socket'

/** A line that begins one, and those below it that are neither empty nor comments. */
interface Setting {
  readonly line: string
  readonly below: readonly string[]
}

function settingsIn(text: string): readonly Setting[] {
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*(?:#|$)/.test(line))
  const begins = lines.flatMap((line, at) => (/^\s/.test(line) ? [] : [at]))
  // What stands before the first one belongs to nothing.
  if (lines.length > 0 && begins[0] !== 0) return []
  return begins.map((at, index) => {
    return { line: lines[at] ?? '', below: lines.slice(at + 1, begins[index + 1]) }
  })
}

function isPlain({ line }: Setting): boolean {
  return /^[A-Za-z0-9]+:(?:\s|$)/.test(line)
}

/** Nothing of another setting; without the path where it is not plain. */
function placeIn(setting: Setting): readonly (readonly [Place, string | undefined])[] {
  const [name] = setting.line.split(':')
  if (name === 'state') return [['state', pathIn(setting)]]
  return name === 'control' ? [['socket', socketIn(setting)]] : []
}

function pathIn({ line, below }: Setting): string | undefined {
  const [, path] =
    /^[a-z]+:\s+([A-Za-z0-9_./-]*[/A-Za-z][A-Za-z0-9_./-]*)\s*(?:\s#.*)?$/.exec(line) ?? []
  return below.length === 0 ? path : undefined
}

/** It has nothing else. */
function socketIn({ line, below: [setting, more] }: Setting): string | undefined {
  const written = setting?.trimStart() ?? ''
  if (!/^control:\s*(?:\s#.*)?$/.test(line) || more !== undefined) return undefined
  return written.startsWith('socket:') ? pathIn({ line: written, below: [] }) : undefined
}

/** Any of them may say where things are. */
function hasOverrides(environment: NodeJS.ProcessEnv): boolean {
  const others: readonly string[] = [variables.config, variables.password]
  return Object.keys(environment).some(
    (name) => name.startsWith(variables.prefix) && !others.includes(name),
  )
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
