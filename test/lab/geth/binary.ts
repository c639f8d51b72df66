// Where a geth is, and how to get one: built from the released source, or one that is installed.

import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toolError } from '../../../scripts/lib/shared/errors.ts'

/** The newest release whose modules are all to be had. */
const gethRelease = '1.16.7'

const folder = fileURLToPath(new URL(`../../../.cache/geth/${gethRelease}/`, import.meta.url))
const built = join(folder, 'geth')

/** `URAIDEN_GETH`, what `installGeth` built, or the one on the path; undefined when there is none. */
export function findGeth(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const { URAIDEN_GETH: named } = environment
  if (named !== undefined) return named
  return isExecutable(built) ? built : onPath('geth', environment)
}

/**
 * Builds the pinned release with Go, unless there is one already. Resolves with its file.
 * @throws UraidenError `geth_missing`, `geth_not_built`
 */
export async function installGeth(say: (line: string) => void): Promise<string> {
  const { URAIDEN_GETH: named } = process.env
  if (named !== undefined) return named
  if (isExecutable(built)) return built
  const go = onPath('go', process.env)
  if (go === undefined) return installed()
  say(`building geth ${gethRelease} with Go: this takes a few minutes, once`)
  await mkdir(folder, { recursive: true })
  await build(go)
  return built
}

/** One of another release will do when there is no Go. */
function installed(): string {
  const found = onPath('geth', process.env)
  if (found !== undefined) return found
  throw toolError({
    code: 'geth_missing',
    message: 'There is neither a geth nor a Go compiler on this machine.',
  })
}

function build(go: string): Promise<void> {
  const module = `github.com/ethereum/go-ethereum/cmd/geth@v${gethRelease}`
  const child = spawn(go, ['install', module], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) return resolve()
      reject(
        toolError({
          code: 'geth_not_built',
          message: `go install ${module} failed:\n${said.trim().split('\n').slice(-5).join('\n')}`,
        }),
      )
    })
  })
}

function onPath(name: string, { PATH = '' }: NodeJS.ProcessEnv): string | undefined {
  return PATH.split(delimiter)
    .map((each) => join(each, name))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
