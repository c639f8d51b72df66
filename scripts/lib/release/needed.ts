// The programs that each kind of artefact needs. All of them are asked for before anything is built: without an
// emulator a package would be made, and start slower than the one of the release before (docs/guides/packages.md).
import { spawnSync } from 'node:child_process'
import { toolError } from '../shared/errors.ts'
import type { Kind } from './artefacts.ts'

const needed: { readonly [K in Kind]: readonly string[] } = {
  npm: ['npm'],
  deb: [
    ...['dpkg-deb', 'ar', 'xz', 'strip', 'aarch64-linux-gnu-g++', 'aarch64-linux-gnu-strip'],
    ...['arm-linux-gnueabihf-strip', 'qemu-aarch64-static', 'qemu-arm-static'],
  ],
  executable: ['strip', 'aarch64-linux-gnu-strip'],
}

export function missingTools(kinds: readonly Kind[]): readonly string[] {
  const names = new Set(['git', ...kinds.flatMap((kind) => needed[kind])])
  return [...names].filter((name) => spawnSync(name, ['--version']).error !== undefined)
}

/** @throws UraidenError release_tool_missing */
export function demandTools(kinds: readonly Kind[]): void {
  const missing = missingTools(kinds)
  if (missing.length === 0) return
  throw toolError({
    code: 'release_tool_missing',
    message: `Not installed: ${missing.join(', ')}.`,
  })
}
