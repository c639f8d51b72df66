// The files of the package uraiden-agent, at the places where they will be.
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Bundle } from './bundle.ts'
import { type Licensed, licencesOf, writeCopyright } from './copyright.ts'
import type { Platform } from './platforms.ts'
import type { Runtime } from './runtime.ts'
import { checkout, place, type Tree } from './tools.ts'

export interface TreeOptions {
  readonly platform: Platform
  readonly runtime: Runtime
  readonly bundle: Bundle
  readonly version: string
  /** What was there is removed. */
  readonly folder: string
  /** Seconds since 1970, of every file. */
  readonly date: number
}

const program = 'usr/lib/uraiden-agent'
const documents = 'usr/share/doc/uraiden-agent'

/** Ours as they are, and where they go. */
const ours: readonly (readonly [string, string])[] = [
  ['deploy/pi/config/agent.yaml', 'etc/uraiden/agent.yaml'],
  ['deploy/pi/systemd/uraiden-agent.service', 'usr/lib/systemd/system/uraiden-agent.service'],
  ['deploy/pi/sysusers.d/uraiden-agent.conf', 'usr/lib/sysusers.d/uraiden-agent.conf'],
  ['deploy/pi/tmpfiles.d/uraiden-agent.conf', 'usr/lib/tmpfiles.d/uraiden-agent.conf'],
  ['deploy/pi/completion/uraiden-agent', 'usr/share/bash-completion/completions/uraiden-agent'],
  ['deploy/pi/debian/lintian-overrides', 'usr/share/lintian/overrides/uraiden-agent'],
]

/** Those that Debian wants compressed. */
const compressed: readonly (readonly [string, string])[] = [
  ['deploy/pi/man/uraiden-agent.1', 'usr/share/man/man1/uraiden-agent.1.gz'],
  ...['agent-cli', 'agent-config', 'agent-daemon', 'agent-jobs', 'agent-page', 'agent-proxy'].map(
    (name) => [`docs/${name}.md`, `${documents}/${name}.md.gz`] as const,
  ),
]

export async function writeTree(options: TreeOptions): Promise<Tree> {
  const { folder, date, platform, runtime, bundle, version } = options
  const tree = { folder, date }
  await rm(folder, { recursive: true, force: true })
  await place(tree, `${program}/node`, await readFile(runtime.stripped), 0o755)
  await place(tree, `${program}/uraiden-agent.cjs`, bundle.code)
  await place(tree, `${program}/classic-level.node`, await readAddon(platform))
  await place(tree, 'usr/bin/uraiden-agent', await read('deploy/pi/debian/launcher'), 0o755)
  for (const [from, to] of ours) await place(tree, to, await read(from))
  for (const [from, to] of compressed) await place(tree, to, gzip(await read(from)))
  await place(tree, `${documents}/copyright`, await copyrightOf(options))
  await place(tree, `${documents}/changelog.gz`, gzip(changelog(version, date)))
  return tree
}

export function readAddon(platform: Platform): Promise<Buffer> {
  return read(`node_modules/classic-level/${platform.addon}`)
}

function read(path: string): Promise<Buffer> {
  return readFile(join(checkout, path))
}

/** zlib writes no time and no name into it. */
function gzip(contents: Uint8Array | string): Buffer {
  return gzipSync(contents, { level: 9 })
}

async function copyrightOf({ platform, runtime, bundle }: TreeOptions): Promise<string> {
  const node: Licensed = {
    name: `Node.js ${platform.node.version}`,
    text: await readFile(runtime.licence, 'utf8'),
  }
  const own = (await read('LICENSE')).toString()
  return writeCopyright(own, [node, ...(await licencesOf(bundle.packages))])
}

function changelog(version: string, date: number): string {
  const when = new Date(date * 1000).toUTCString().replace('GMT', '+0000')
  return `uraiden-pi (${version}) stable; urgency=medium

  * This version; docs/ of the sources say what is in it.

 -- ${maintainer}  ${when}
`
}

export const maintainer = 'uRaiden for Raspberry Pi <uraiden-pi@users.noreply.github.com>'
