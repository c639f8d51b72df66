// One version in five places, and a changelog that has a section for it.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toolError } from '../shared/errors.ts'
import { releasedChangelog } from './changelog.ts'

/** What a version changes: files by their path in the checkout, with their new text. */
export type Changes = ReadonlyMap<string, string>

const places = {
  'package.json': /^( {2}"version": ")([^"]+)(")/m,
  'deploy/home-assistant/uraiden_agent/config.yaml': /^(version: ')([^']+)(')/m,
  'platform/system/version.ts': /^(export const version = ')([^']+)(')/m,
} as const

/**
 * The version that package.json, package-lock.json, the add-on and the programs agree on.
 * @throws UraidenError release_version_differs
 */
export async function checkedVersion(root: string): Promise<string> {
  const found = new Map<string, string | undefined>()
  for (const [path, form] of Object.entries(places)) {
    found.set(path, form.exec(await readFile(join(root, path), 'utf8'))?.[2])
  }
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'))
  found.set('package-lock.json', lock.version)
  found.set('package-lock.json, packages', lock.packages?.['']?.version)
  const [version, ...others] = new Set(found.values())
  if (version !== undefined && others.length === 0) return version
  throw toolError({
    code: 'release_version_differs',
    message: `The version is not the same everywhere: ${[...found].map(([path, is]) => `${path} ${is}`).join(', ')}.`,
  })
}

/**
 * Everything that says the version, saying `next`; nothing is written.
 * @param date of the release, `2026-11-28`
 * @throws UraidenError release_version_older unless `next` is above the version now; release_empty when nothing
 * is under Unreleased
 */
export async function changesFor(root: string, next: string, date: string): Promise<Changes> {
  const now = await checkedVersion(root)
  if (compare(next, now) <= 0) {
    throw toolError({
      code: 'release_version_older',
      message: `${next} is not above ${now}, the version of this checkout.`,
    })
  }
  const changes = new Map<string, string>()
  for (const [path, form] of Object.entries(places)) {
    const text = await readFile(join(root, path), 'utf8')
    changes.set(path, text.replace(form, `$1${next}$3`))
  }
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'))
  lock.version = next
  lock.packages[''].version = next
  changes.set('package-lock.json', `${JSON.stringify(lock, undefined, 2)}\n`)
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8')
  changes.set('CHANGELOG.md', releasedChangelog(changelog, next, date))
  return changes
}

export async function writeChanges(root: string, changes: Changes): Promise<void> {
  for (const [path, text] of changes) await writeFile(join(root, path), text)
}

/**
 * Three numbers. A suffix is refused: npm, Debian and Semantic Versioning sort it in three ways.
 * @throws UraidenError release_version_malformed
 */
export function parseVersion(text: string): string {
  if (/^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$/.test(text)) return text
  throw toolError({
    code: 'release_version_malformed',
    message: `"${text}" is no version.`,
  })
}

function compare(left: string, right: string): number {
  const [a, b] = [left, right].map((text) => text.split('.').map(Number))
  const at = [0, 1, 2].find((index) => a?.[index] !== b?.[index])
  return at === undefined ? 0 : Number(a?.[at]) - Number(b?.[at])
}
