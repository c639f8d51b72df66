// CHANGELOG.md, as https://keepachangelog.com/en/1.1.0/ has it: sections by version, the newest first.
import { toolError } from '../shared/errors.ts'

/** What is written under this version, or under `Unreleased`; nothing when there is no such section. */
export function sectionOf(changelog: string, version: string): string | undefined {
  const lines = changelog.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`## [${version}]`))
  if (start < 0) return undefined
  const length = lines.slice(start + 1).findIndex((line) => /^(## |\[[^\]]+\]: )/.test(line))
  const end = length < 0 ? lines.length : start + 1 + length
  return lines
    .slice(start + 1, end)
    .join('\n')
    .trim()
}

/**
 * The changelog in which what was unreleased is of this version, and nothing is unreleased.
 * @throws UraidenError release_empty
 */
export function releasedChangelog(changelog: string, version: string, date: string): string {
  if (!sectionOf(changelog, 'Unreleased')) {
    throw toolError({
      code: 'release_empty',
      message: 'CHANGELOG.md has nothing under Unreleased.',
    })
  }
  const heading = `[${version}] - ${date}`
  const anchor = heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-')
  return changelog
    .replace(/^## \[Unreleased\]$/m, `## [Unreleased]\n\n## ${heading}`)
    .replace(/^\[Unreleased\]: .*$/m, `$&\n[${version}]: #${anchor}`)
}
